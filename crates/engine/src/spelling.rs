//! PostgreSQL's spellings that the parser does not know, as others that mean the same.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::words::blank;

const SCHEMA: &str = "PG_CATALOG";

/// Functions whose arguments have words between them, of which the parser knows no schema.
const WITH_WORDS: [&str; 7] = [
    "SUBSTRING",
    "POSITION",
    "TRIM",
    "OVERLAY",
    "EXTRACT",
    "CEIL",
    "FLOOR",
];

/// - `pg_catalog.substring(..)` loses its schema, as other functions do later.
/// - `OPERATOR(pg_catalog.=) ANY (..)` is `= ANY (..)`.
pub(crate) fn for_parser(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let shown: Vec<usize> = (0..tokens.len()).filter(|i| !blank(&tokens[*i])).collect();
    let at = |i: usize| shown.get(i).and_then(|place| tokens.get(*place));
    let word = |i: usize| match at(i).map(|t| &t.token) {
        Some(Token::Word(word)) if word.quote_style.is_none() => word.value.to_uppercase(),
        _ => String::new(),
    };
    let is = |i: usize, token: &Token| at(i).is_some_and(|t| t.token == *token);
    let mut dropped = vec![false; tokens.len()];
    for i in 0..shown.len() {
        let parts: &[usize] = match word(i).as_str() {
            SCHEMA
                if is(i + 1, &Token::Period)
                    && WITH_WORDS.contains(&word(i + 2).as_str())
                    && is(i + 3, &Token::LParen) =>
            {
                &[0, 1]
            }
            "OPERATOR"
                if is(i + 1, &Token::LParen)
                    && word(i + 2) == SCHEMA
                    && is(i + 3, &Token::Period)
                    && is(i + 5, &Token::RParen)
                    && matches!(word(i + 6).as_str(), "ANY" | "ALL" | "SOME") =>
            {
                &[0, 1, 2, 3, 5]
            }
            _ => &[],
        };
        for part in parts {
            if let Some(place) = shown.get(i + part) {
                dropped[*place] = true;
            }
        }
    }
    let mut dropped = dropped.into_iter();
    let mut tokens = tokens;
    tokens.retain(|_| dropped.next() != Some(true));
    tokens
}

#[cfg(test)]
mod tests {
    use super::for_parser;
    use crate::words::tokenize;

    fn spelled(sql: &str) -> String {
        let tokens = for_parser(tokenize(sql).unwrap());
        tokens.iter().map(|t| t.token.to_string()).collect()
    }

    #[test]
    fn what_the_parser_does_not_know_is_spelled_otherwise() {
        for (sql, expected) in [
            (
                "select pg_catalog.substring(a from 'x'), pg_catalog.lower(b)",
                "select substring(a from 'x'), pg_catalog.lower(b)",
            ),
            (
                "select a operator(pg_catalog.=) any (b)",
                "select a = any (b)",
            ),
            (
                "select a operator(pg_catalog.~) b",
                "select a operator(pg_catalog.~) b",
            ),
        ] {
            assert_eq!(spelled(sql), expected);
        }
    }
}

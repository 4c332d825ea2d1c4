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
/// - `LIKE p ESCAPE e`, where `e` is no plain literal, has an operator between `p` and `(e)`: the parser
///   takes a literal alone, and the rest of `e` for something that is done with what LIKE says.
pub(crate) fn for_parser(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    escapes(without_schemas(tokens))
}

/// The words that end an operand of LIKE, beside what closes the expression around it.
const ENDS: [&str; 34] = [
    "AND",
    "OR",
    "NOT",
    "IS",
    "ISNULL",
    "NOTNULL",
    "LIKE",
    "ILIKE",
    "SIMILAR",
    "BETWEEN",
    "IN",
    "THEN",
    "ELSE",
    "WHEN",
    "END",
    "AS",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "WINDOW",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "ON",
    "USING",
    "JOIN",
    "ASC",
    "DESC",
    "NULLS",
];

fn word(token: &Token) -> String {
    match token {
        Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
        _ => String::new(),
    }
}

fn escapes(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !tokens.iter().any(|t| word(&t.token) == "ESCAPE") {
        return tokens;
    }
    let tokens: Vec<TokenWithSpan> = tokens.into_iter().filter(|t| !blank(t)).collect();
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len() + 2);
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if word(&token.token) == "ESCAPE" && is_of_like(&tokens[..at]) {
            let end = operand_end(&tokens, at + 1);
            let operand = &tokens[at + 1..end];
            if !is_character(operand) && !operand.is_empty() {
                let with_span = |new: Token| TokenWithSpan::new(new, token.span);
                let operator =
                    Token::CustomBinaryOperator(inflowave_pg_semantics::ESCAPE.to_owned());
                out.push(with_span(operator));
                out.push(with_span(Token::LParen));
                out.extend_from_slice(operand);
                out.push(with_span(Token::RParen));
                at = end;
                continue;
            }
        }
        out.push(token.clone());
        at += 1;
    }
    out
}

/// A quoted character.
fn is_character(operand: &[TokenWithSpan]) -> bool {
    match operand {
        [one] => matches!(&one.token, Token::SingleQuotedString(text) if text.chars().count() == 1),
        _ => false,
    }
}

/// Does LIKE, or SIMILAR TO, stand before it in the same expression?
fn is_of_like(before: &[TokenWithSpan]) -> bool {
    let mut depth = 0_usize;
    for (at, token) in before.iter().enumerate().rev() {
        match &token.token {
            Token::RParen | Token::RBracket => depth += 1,
            Token::LParen | Token::LBracket if depth == 0 => return false,
            Token::LParen | Token::LBracket => depth -= 1,
            token if depth == 0 => match word(token).as_str() {
                "LIKE" | "ILIKE" => return true,
                "TO" => return at > 0 && word(&before[at - 1].token) == "SIMILAR",
                "AND" | "OR" | "ESCAPE" => return false,
                _ => {}
            },
            _ => {}
        }
    }
    false
}

/// Where the operand that begins at `start` ends.
fn operand_end(tokens: &[TokenWithSpan], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut whole = false;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        let name = word(&token.token);
        let operand = match &token.token {
            Token::LParen | Token::LBracket => {
                depth += 1;
                false
            }
            Token::RParen | Token::RBracket if depth == 0 => return at,
            Token::RParen | Token::RBracket => {
                depth -= 1;
                true
            }
            _ if name == "CASE" => {
                depth += 1;
                false
            }
            _ if depth > 0 && name == "END" => {
                depth -= 1;
                true
            }
            Token::Comma | Token::SemiColon | Token::EOF if depth == 0 => return at,
            Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq
                if depth == 0 =>
            {
                return at;
            }
            _ if depth == 0 && ENDS.contains(&name.as_str()) => return at,
            Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::Placeholder(_) => {
                // Two in a row: the second is a name for all of it.
                if depth == 0 && whole {
                    return at;
                }
                true
            }
            _ => false,
        };
        whole = depth == 0 && operand;
    }
    tokens.len()
}

fn without_schemas(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
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
                "select a like 'b' escape '!' || c and d",
                "selectalike'b'~pg_escape~('!'||c)andd",
            ),
            (
                "select a like b escape lower('!') x, a not like b escape ('!')",
                "selectalikeb~pg_escape~(lower('!'))x,anotlikeb~pg_escape~(('!'))",
            ),
            ("select a like b escape '!' x", "selectalikebescape'!'x"),
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

//! How deep a statement nests, found before it is parsed.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use inflowave_types::{Error, SqlState};

/// Operators of one chain (`1 + 1 + ..`), at most: planning such a chain takes time by the square
/// of its length.
const CHAIN_MAX: usize = 1000;
/// The same for `AND` and `OR`, which are planned faster.
const CONJUNCTS_MAX: usize = 5000;
/// The same for what stands behind an operand (`x::int::int ..`, `x IS NULL IS NULL ..`), for `^` and
/// for `AT TIME ZONE`: each is a level of the tree, on which planning and the optimizer recurse.
const POSTFIX_MAX: usize = 200;
/// Branches of `UNION` and its like: each is a level of the tree, too.
const BRANCHES_MAX: usize = 200;
/// `EXPLAIN` and `PREPARE` in a statement: each can hold another statement.
const NESTED_MAX: usize = 50;

/// How deep parentheses and brackets nest, and how long the longest run of prefix operators is;
/// the larger of the two. A chain that is too long counts as too deep: it is a deep tree.
pub(crate) fn depth(tokens: &[TokenWithSpan]) -> usize {
    let (mut open, mut deepest, mut run) = (0usize, 0usize, 0usize);
    let (mut chain, mut conjuncts) = (0usize, 0usize);
    let (mut postfix, mut branches, mut nested) = (0usize, 0usize, 0usize);
    for token in tokens {
        let word = match &token.token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_ascii_uppercase(),
            _ => String::new(),
        };
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => open += 1,
            Token::RParen | Token::RBracket | Token::RBrace => open = open.saturating_sub(1),
            _ => {}
        }
        let prefix = matches!(token.token, Token::Minus | Token::Plus | Token::Tilde);
        let prefix = prefix || matches!(word.as_str(), "NOT" | "INTERVAL");
        run = if prefix { run + 1 } else { 0 };
        match &token.token {
            Token::Comma => postfix = 0,
            Token::DoubleColon
            | Token::Caret
            | Token::LBracket
            | Token::Arrow
            | Token::LongArrow
            | Token::HashArrow
            | Token::HashLongArrow
            | Token::Eq
            | Token::Neq
            | Token::Lt
            | Token::Gt
            | Token::LtEq
            | Token::GtEq => postfix += 1,
            _ => match word.as_str() {
                "IS" | "ISNULL" | "NOTNULL" | "LIKE" | "ILIKE" | "SIMILAR" | "COLLATE" | "AT"
                | "OPERATOR" | "BETWEEN" => postfix += 1,
                "AND" | "OR" | "SELECT" | "FROM" | "WHERE" | "WHEN" | "THEN" | "ELSE" | "END"
                | "ON" | "BY" | "AS" => postfix = 0,
                "UNION" | "INTERSECT" | "EXCEPT" => (postfix, branches) = (0, branches + 1),
                "EXPLAIN" | "PREPARE" => nested += 1,
                _ => {}
            },
        }
        match &token.token {
            Token::Comma => (chain, conjuncts) = (0, 0),
            Token::Plus
            | Token::Minus
            | Token::Mul
            | Token::Div
            | Token::Mod
            | Token::Caret
            | Token::StringConcat => chain += 1,
            _ => match word.as_str() {
                "AND" | "OR" => (chain, conjuncts) = (0, conjuncts + 1),
                "SELECT" | "FROM" | "WHERE" => (chain, conjuncts) = (0, 0),
                _ => {}
            },
        }
        deepest = deepest.max(open).max(run);
        if chain > CHAIN_MAX
            || conjuncts > CONJUNCTS_MAX
            || postfix > POSTFIX_MAX
            || branches > BRANCHES_MAX
            || nested > NESTED_MAX
        {
            return usize::MAX;
        }
    }
    deepest
}

pub(crate) fn too_deep() -> Error {
    Error::new(SqlState::StatementTooComplex, "statement nests too deeply")
        .with_hint("Raise limits.statement_depth_max, or write it with fewer levels.")
}

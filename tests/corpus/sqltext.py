"""SQL as tokens: what the recorder needs to know of a statement, and what the replay changes in one.

Owns the lexical structure of PostgreSQL's SQL (its documentation, chapter 4.1). Knows no grammar: where
a change might alter the meaning, PostgreSQL itself is asked (see replay.py).
"""

import re

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<placeholder>\{\{[a-z]+:[^{}]*\}\})
  | (?P<line>--[^\n]*)
  | (?P<block>/\*)
  | (?P<escape>[eE]'(?:[^'\\]|\\.|'')*')
  | (?P<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
  | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z_0-9\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$)
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
  | (?P<parameter>\$\d+)
  | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z_0-9$\x80-\U0010ffff]*)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<cast>::|:=|=>|\.\.)
  | (?P<mark>[(),;\[\].:])
  | (?P<operator>[+\-*/<>=~!@\#%^&|`?]+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(sql):
    """The (kind, text) pairs of `sql`; their texts joined are `sql` again."""
    found, at = [], 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        kind, text = match.lastgroup, match.group()
        if kind == "tag":
            kind = "dollar"
        if kind == "block":
            depth, end = 1, match.end()
            while depth and end < len(sql):
                if sql.startswith("/*", end):
                    depth, end = depth + 1, end + 2
                elif sql.startswith("*/", end):
                    depth, end = depth - 1, end + 2
                else:
                    end += 1
            text = sql[at:end]
        elif kind == "operator":
            # A comment ends an operator.
            cut = min((i for i in (text.find("--", 1), text.find("/*", 1)) if i > 0), default=len(text))
            text = text[:cut]
        found.append((kind, text))
        at += len(text)
    return found


SPACE = ("space", "line", "block")


def solid(sql):
    """The tokens without space and comments."""
    return [t for t in tokens(sql) if t[0] not in SPACE]


def commands(sql):
    """The commands of a text that may hold several, as lists of solid tokens."""
    parts, part = [], []
    for token in solid(sql):
        if token[1] == ";":
            if part:
                parts.append(part)
            part = []
        else:
            part.append(token)
    if part:
        parts.append(part)
    return parts


def split(sql):
    """The commands of a text, as texts."""
    parts, part = [], []
    for token in tokens(sql):
        if token[1] == ";":
            parts.append("".join(part))
            part = []
        else:
            part.append(token[1])
    parts.append("".join(part))
    return [p.strip() for p in parts if solid(p)]


def name(token):
    """The name that a word or a quoted identifier means, or None."""
    kind, text = token
    if kind == "word":
        return text.lower()
    if kind == "quoted" and text[0] == '"':
        return text[1:-1].replace('""', '"')
    return None


def word(part, at):
    return part[at][1].lower() if at < len(part) and part[at][0] == "word" else ""


_WRITES = frozenset(
    "create alter drop insert update delete merge truncate grant revoke comment security import refresh"
    " vacuum analyze call do reindex cluster reassign load checkpoint notify".split()
)
_ACTS = frozenset(
    "nextval setval pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile lo_create lo_creat"
    " lo_import lo_export lo_unlink pg_switch_wal pg_stat_reset pg_create_restore_point pg_start_backup".split()
)
# Statements that change what later ones of the same session do, or that read what earlier ones left.
_STATE = frozenset(
    "set reset begin start commit rollback abort end savepoint release declare fetch move close prepare execute"
    " deallocate discard listen unlisten lock".split()
)


def writes(sql):
    """Whether a statement changes data or objects: by its commands' first words (for WITH, any word that
    writes; for COPY, FROM), SELECT INTO, FOR UPDATE of rows, and calls of functions that act."""
    for part in commands(sql):
        first = word(part, 0)
        words = {text.lower() for kind, text in part if kind == "word"}
        if first in _WRITES:
            return True
        if first == "lock" and not {"access", "share"} <= words:
            return True
        if first == "copy" and "from" in _outside(part):
            return True
        # Such a word behind AS is an alias.
        pairs = {(word(part, at), word(part, at + 1)) for at in range(len(part) - 1) if word(part, at - 1) != "as"}
        acts = pairs & {("insert", "into"), ("delete", "from"), ("merge", "into")}
        if first == "with" and (acts or "update" in words and "set" in words):
            return True
        if first in ("select", "with") and "into" in _outside(part):
            return True
        if first in ("explain", "prepare", "declare") and (acts or "create" in words):
            return True
        for at in range(len(part) - 1):
            if part[at][0] == "word" and part[at][1].lower() in _ACTS and part[at + 1][1] == "(":
                return True
    return False


def _outside(part):
    """The words that stand in no parentheses."""
    depth, found = 0, set()
    for kind, text in part:
        depth += (text == "(") - (text == ")")
        if depth == 0 and kind == "word":
            found.add(text.lower())
    return found


def keeps_state(sql):
    for part in commands(sql):
        if word(part, 0) in _STATE:
            return True
        # pg_dump and drivers set by a function, too.
        if any(text.lower() == "set_config" for kind, text in part if kind == "word"):
            return True
    return False


def ordered(sql):
    """Whether the rows of the (last) command come in an order that it asks for: ORDER BY outside of
    parentheses; or one row by FETCH, whose cursor decides."""
    parts = commands(sql)
    if not parts:
        return False
    depth, part = 0, parts[-1]
    for at, (kind, text) in enumerate(part):
        depth += (text == "(") - (text == ")")
        if depth == 0 and kind == "word" and text.lower() == "order" and word(part, at + 1) == "by":
            return True
    return False


# ---- changes ----------------------------------------------------------------------------------

_TYPED = frozenset("cast xmlserialize treat".split())


def renamed(sql, level):
    """`sql` with other aliases, or None where it has none that can be told by tokens. Level 0 renames
    aliases of tables and columns, 1 those of tables, 2 those of columns. Whether the text still means
    the same, PostgreSQL has to say."""
    found = tokens(sql)
    at = [i for i, t in enumerate(found) if t[0] not in SPACE]
    where = {i: k for k, i in enumerate(at)}

    def near(i, step):
        k = where[i] + step
        return found[at[k]] if 0 <= k < len(at) else ("", "")

    casts, opened = set(), []
    for i in at:
        if found[i][1] == "(":
            opened.append(near(i, -1)[1].lower() in _TYPED)
        elif found[i][1] == ")" and opened:
            opened.pop()
        elif opened and opened[-1]:
            casts.add(i)
    qualifiers = {name(found[i]) for i in at if name(found[i]) and near(i, 1)[1] == "." and near(i, -1)[1] != "."}
    tables, columns = set(), set()
    for i in at:
        alias = name(found[i])
        if not alias or i in casts or near(i, -1)[1] == "." or near(i, 1)[1] in (".",):
            continue
        before = near(i, -1)
        if alias in qualifiers and (name(before) or before[1] == ")") and near(i, 1)[1] != "(":
            tables.add(alias)
        elif before[0] == "word" and before[1].lower() == "as" and near(i, 1)[1] != "(" and alias not in qualifiers:
            columns.add(alias)
    columns -= {"select", "text", "materialized", "not"}
    if level == 1:
        columns = set()
    if level == 2:
        tables = set()
    if not tables and not columns:
        return None
    changed = list(found)
    for i in at:
        alias = name(found[i])
        if alias is None or i in casts:
            continue
        after, before = near(i, 1)[1], near(i, -1)[1]
        if alias in tables and before != "." and after != "(":
            if after == "." or name(near(i, -1)) or before in (")", ",", "("):
                changed[i] = (found[i][0], _other(found[i][1], "zq_"))
        elif alias in columns and after not in (".", "("):
            # After a dot it is a column of a subquery, or one of a table that has this name, too.
            if before != "." or near(i, -2) and name(near(i, -2)) not in _real(found, at):
                changed[i] = (found[i][0], _other(found[i][1], "zc_"))
    text = "".join(t for _, t in changed)
    return text if text != sql else None


def _real(found, at):
    """Names that stand directly for a relation (`FROM a.b c`, `JOIN b c`): their columns have names of
    their own."""
    real = set()
    for k, i in enumerate(at):
        if found[i][0] == "word" and found[i][1].lower() in ("from", "join") or found[i][1] == ",":
            j = k + 1
            if j < len(at) and name(found[at[j]]):
                last = j
                while last + 2 < len(at) and found[at[last + 1]][1] == "." and name(found[at[last + 2]]):
                    last += 2
                real.add(name(found[at[last]]))
                nxt = last + 1
                if nxt < len(at) and name(found[at[nxt]]) == "as":
                    nxt += 1
                if nxt < len(at) and name(found[at[nxt]]):
                    real.add(name(found[at[nxt]]))
    return real


def _other(text, prefix):
    return f'"{prefix}{text[1:]}' if text[0] == '"' else prefix + text


def respaced(sql):
    """`sql` with other space, comments, and letters' case of what is not quoted."""
    out, previous, turn = [], ("", ""), 0
    for kind, text in tokens(sql):
        turn += 1
        if kind == "line":
            kind, text = "space", "\n"
        elif kind == "block":
            kind, text = "space", " "
        if kind == "space":
            if previous[0] == "space":
                continue
            # A line break between two strings joins them, so one that was there stays.
            text = "\n\t" if "\n" in text or turn % 3 == 0 else " /* %d */ " % turn if turn % 2 else "   "
            if previous[0] == "" or previous[0] == "operator" and "/*" in text:
                text = " "
        elif kind == "word":
            text = text.swapcase() if text.isascii() else text
        elif text in (",", "(", ")"):
            text = {",": " ,", "(": "( ", ")": " )"}[text]
        previous = (kind, text)
        out.append(text)
    return "".join(out)

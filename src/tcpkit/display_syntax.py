"""Display filters as text: Wireshark's syntax (wireshark-filter(4)) parsed into a tree."""
from __future__ import annotations

import re
from dataclasses import dataclass

from tcpkit.display_tree import (
    TRUTHS,
    Arithmetic,
    Call,
    Compare,
    Exists,
    Field,
    Literal,
    Logic,
    Member,
    Not,
    Test,
    Value,
)
from tcpkit.errors import FilterError

MAX_DEPTH = 200
CALL_DEPTH = 5                   # levels that a function's argument takes

COMPARISONS = {
    "==": "==", "eq": "==", "any_eq": "==", "===": "===", "all_eq": "===", "!=": "!=", "ne": "!=", "all_ne": "!=",
    "!==": "!==", "~=": "!==", "any_ne": "!==", ">": ">", "gt": ">", "<": "<", "lt": "<", ">=": ">=", "ge": ">=",
    "<=": "<=", "le": "<=", "contains": "contains", "matches": "matches", "~": "matches",
}
TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<string>[rR]?"(?:[^"\\]|\\.)*")
  | (?P<operator>===|!==|==|!=|~=|>=|<=|&&|\|\||\.\.|[<>~!(){}\[\],&+\-*/%])
  | (?P<word>(?:[0-9A-Fa-f]*:[0-9A-Fa-f:]*(?:\.[0-9A-Fa-f]+)*|\d+\.\d+\.\d+\.\d+)   # addresses,
       (?:/\d*(?:\.\d+)*)?                                                         # with a prefix length
     | [A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*(?:-[A-Za-z_][A-Za-z0-9_]*)*)          # numbers, names
""", re.VERBOSE)

NAME = re.compile(r"[A-Za-z_]")                                # how it begins
ADDRESS = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:./]*")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            hint = '; values are compared with "=="' if text[at] == "=" else ""
            raise FilterError(f'"{text[at]}" was unexpected here{hint}', text, at, at + 1)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), at, match.end()))
        at = match.end()
    return found


class Parser:
    """Recursive descent over the tokens; ``or`` binds loosest, then ``and``, then ``not``."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0

    def parse(self) -> Test:
        tree = self.any_of()
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            raise FilterError(f'"{token.text}" was unexpected here', self.text, token.start, token.end)
        return tree

    def peek(self) -> str:
        """The next token in lower case; "" at the end and for strings."""
        if self.at == len(self.tokens) or self.tokens[self.at].kind == "string":
            return ""
        return self.tokens[self.at].text.lower()

    def accept(self, *texts: str) -> Token | None:
        if self.peek() in texts and self.at < len(self.tokens):
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def expect(self, text: str) -> Token:
        token = self.accept(text)
        if token is None:
            raise self.unexpected(f'"{text}" expected')
        return token

    def unexpected(self, message: str) -> FilterError:
        if self.at == len(self.tokens):
            return FilterError(f"{message}, but the filter ends here", self.text, len(self.text), len(self.text))
        token = self.tokens[self.at]
        return FilterError(f'{message}, not "{token.text}"', self.text, token.start, token.end)

    def any_of(self) -> Test:
        tests = [self.all_of()]
        while self.accept("or", "||"):
            tests.append(self.all_of())
        return tests[0] if len(tests) == 1 else Logic("or", tuple(tests))

    def all_of(self) -> Test:
        tests = [self.negation()]
        while self.accept("and", "&&"):
            tests.append(self.negation())
        return tests[0] if len(tests) == 1 else Logic("and", tuple(tests))

    def deeper(self, levels: int = 1) -> None:
        """Further down, in tests or in values: trees are walked by functions that call themselves."""
        self.depth += levels
        if self.depth > MAX_DEPTH:
            raise self.unexpected(f"at most {MAX_DEPTH} levels of nesting")

    def negation(self) -> Test:
        self.deeper()
        try:
            if self.accept("not", "!"):
                return Not(self.negation())
            if self.accept("("):
                tree = self.any_of()
                self.expect(")")
                return tree
            return self.test()
        finally:
            self.depth -= 1

    def test(self) -> Test:
        quantifier = self.accept("any", "all")
        every = None if quantifier is None else quantifier.text.lower() == "all"
        left = self.value()
        if self.accept("in"):
            return Member(left, self.ranges(), bool(every))
        if self.accept("not", "!"):
            self.expect("in")
            return Not(Member(left, self.ranges(), every=False))
        operator = self.accept(*COMPARISONS)
        if operator is None:
            return Exists(left)
        return Compare(COMPARISONS[operator.text.lower()], left, self.value(), every)

    def ranges(self) -> tuple[tuple[Value, Value], ...]:
        self.expect("{")
        found = [self.range()]
        while self.accept(","):
            found.append(self.range())
        self.expect("}")
        return tuple(found)

    def range(self) -> tuple[Value, Value]:
        low = self.value()
        return (low, self.value()) if self.accept("..") else (low, low)

    def value(self) -> Value:
        depth = self.depth
        try:
            return self.masked()
        finally:
            self.depth = depth

    def calculated(self, operator: str, left: Value, right: Value) -> Value:
        """The left of the next operator: each is a level more."""
        self.deeper()
        return Arithmetic(operator, left, right)

    def masked(self) -> Value:
        """``&`` binds looser than what is calculated, tighter than comparisons."""
        value = self.sum()
        while self.accept("&", "bitwise_and"):
            value = self.calculated("&", value, self.sum())
        return value

    def sum(self) -> Value:
        value = self.product()
        while operator := self.accept("+", "-"):
            value = self.calculated(operator.text, value, self.product())
        return value

    def product(self) -> Value:
        value = self.operand()
        while operator := self.accept("*", "/", "%"):
            value = self.calculated(operator.text, value, self.operand())
        return value

    def operand(self) -> Value:
        minus = self.accept("-")
        if self.at == len(self.tokens) or self.tokens[self.at].kind == "operator":
            raise self.unexpected("a field or a value expected")
        token = self.tokens[self.at]
        self.at += 1
        if minus:
            return Literal("-" + token.text, False, minus.start, token.end)
        if token.kind == "string":
            return Literal(unquote(token.text), True, token.start, token.end)
        if self.peek() == "(" and re.fullmatch(r"[a-z_]+", token.text):
            return self.call(token)
        if token.text not in TRUTHS and NAME.match(token.text) and not ADDRESS.fullmatch(token.text):
            return Field(token.text, token.start, token.end)
        return Literal(token.text, False, token.start, token.end)

    def call(self, name: Token) -> Call:
        self.expect("(")
        self.deeper(CALL_DEPTH)
        argument = self.value()
        return Call(name.text, argument, name.start, self.expect(")").end)


def unquote(text: str) -> str:
    """The content of a string token; r"..." keeps its backslashes."""
    if text[0] in "rR":
        return text[2:-1]
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def parse(text: str) -> Test:
    """The tree of a display filter; FilterError points at the place that is wrong."""
    return Parser(text).parse()

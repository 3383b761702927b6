"""The recorded captures: what docs/verdicts.md promises of the verdicts holds."""
from __future__ import annotations

import pytest

from truth.score import CAPTURES, OWN_CAUSES, PROMISED, Score, score


@pytest.fixture(scope="module")
def total() -> Score:
    return score(CAPTURES)


@pytest.mark.parametrize("kind", PROMISED)
def test_kind(total: Score, kind: str) -> None:
    segments, *_, f1 = total.figures(kind)
    assert segments
    assert f1 >= PROMISED[kind], total.wrong


def test_needless_is_rarely_claimed_wrongly(total: Score) -> None:
    found, wrong = total.needless[True, True], total.needless[False, True]
    assert found > 100
    assert wrong <= found // 50


@pytest.mark.parametrize(("cause", "least"), [("fast", 0.99), ("timeout", 0.8), ("tail_loss_probe", 0.95), ("syn", 1)])
def test_causes_agree_with_the_kernel(total: Score, cause: str, least: float) -> None:
    said = {what: n for (true, what), n in total.causes.items() if true == cause and what not in OWN_CAUSES}
    assert said[cause] >= least * sum(said.values()), said

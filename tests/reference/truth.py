"""Which answers of an observer are right: the endpoints' own history against what was captured of it."""
from __future__ import annotations

from dataclasses import replace
from itertools import product

from reference.endpoint import Facts
from reference.path import Conversation, Frame

STEPS = ("syn_sent", "syn_received", "syn_acked", "fin_sent", "fin_received", "fin_acked")
NEEDS = {"syn_acked": "syn_sent", "fin_sent": "syn_sent", "fin_received": "syn_received", "fin_acked": "fin_sent"}


def shown(talk: Conversation, seen: list[Frame], end: int) -> set[str]:
    """The steps of an endpoint that the captured frames themselves carry or acknowledge."""
    own = [frame.seg for frame in seen if frame.sender == end]
    heard = [frame.seg for frame in seen if frame.sender != end]
    iss = talk.ends[end].iss
    steps = set()
    if own:
        steps.add("syn_sent")
    if any("S" in seg.flags for seg in heard):
        steps.add("syn_received")
    if any("A" in seg.flags and "R" not in seg.flags and seg.ack > iss for seg in heard):
        steps |= {"syn_sent", "syn_acked"}
    fins = [seg.end for seg in own if "F" in seg.flags]
    if fins:
        steps.add("fin_sent")
        if any("A" in seg.flags and seg.ack >= fins[0] for seg in heard):
            steps.add("fin_acked")
    for seg in heard:
        if "F" in seg.flags and any("A" in mine.flags and mine.ack >= seg.end for mine in own):
            steps.add("fin_received")
    return steps


def conveyed(talk: Conversation, seen: list[Frame], end: int) -> set[str]:
    """Steps that captured frames would have brought about in an endpoint that had not ended unseen."""
    heard = "".join(frame.seg.flags for frame in seen if frame.sender != end)
    return shown(talk, seen, end) | ({"fin_received"} if "F" in heard else set())


def right_answers(talk: Conversation, seen: list[Frame], end: int) -> set[str]:
    """States that hold at least the shown and at most the real steps of the endpoint."""
    endpoint, real = talk.ends[end], talk.cut(seen, end)
    must = shown(talk, seen, end) & {step for step in STEPS if getattr(real, step)}
    may = {step for step in STEPS if getattr(real, step)}
    if hidden_end(talk, seen, end, real):
        may |= conveyed(talk, seen, end)
    free = sorted(may - must)
    answers = set()
    for chosen in product([False, True], repeat=len(free)):
        steps = must | {step for step, taken in zip(free, chosen, strict=True) if taken}
        if all(NEEDS.get(step, step) in steps for step in steps):
            facts = Facts(**{step: step in steps for step in STEPS}, passive_close=real.passive_close)
            answers.add(facts.state(endpoint.before))
            if hidden_first_fin(talk, seen, end):
                answers.add(replace(facts, passive_close=True).state(endpoint.before))
    if endpoint.before == "CLOSED" and real == Facts() and not reset_shown(talk, seen, end):
        answers.add("SYN_RECEIVED")    # who does not listen is found out when the refusal is captured
    opened = any(frame.sender == end and frame.seg.flags == "S" for frame in seen)
    if real.gone and (endpoint.listens or not opened) and "SYN_RECEIVED" in answers:
        answers.add("LISTEN")          # reset before anything showed that it had gone on, or had opened actively
    if real.syn_received and "syn_received" not in must and any("R" in frame.seg.flags for frame in seen):
        answers.add("CLOSED")          # a reset that only an unseen SYN made ineffective
    if real.gone:
        answers = answers | {real.gone} if not reset_shown(talk, seen, end) else {real.gone}
    return answers


def hidden_first_fin(talk: Conversation, seen: list[Frame], end: int) -> bool:
    """Nothing captured tells that the endpoint's FIN had been sent before the copy that was captured."""
    copies = [frame for frame in seen if frame.sender == end and "F" in frame.seg.flags]
    if not copies:
        return False
    fin = copies[0].seg.end - 1
    before = seen[:seen.index(copies[0])]
    return not any(frame.seg.seq > fin if frame.sender == end else frame.seg.ack > fin for frame in before)


def hidden_end(talk: Conversation, seen: list[Frame], end: int, real: Facts) -> bool:
    """It left the connection, or refused one, and no captured reset tells so."""
    if real.gone:
        return not reset_shown(talk, seen, end)
    return any("R" in frame.seg.flags and frame.sender == end and frame not in seen for frame in talk.sent)


def reset_shown(talk: Conversation, seen: list[Frame], end: int) -> bool:
    """A captured reset ended the connection of this endpoint, or came from it."""
    log = talk.ends[end].log
    ended = next((at for at, facts in enumerate(log) if facts.gone), None)
    return any("R" in frame.seg.flags and (frame.sender == end or frame.arrived_at == ended) for frame in seen)

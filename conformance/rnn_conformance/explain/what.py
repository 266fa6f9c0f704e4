"""What explains wrong numbers: the fewest edits with which they come out as they were found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np

from rnn_conformance.bounds.balls import Float64
from rnn_conformance.cells.edits import Edit, Edits, Indices, Mask, Trials, combinable
from rnn_conformance.explain.where import Features, Rule, shortest

FEW = 5  # numbers; fewer explain nothing
MOST = 5  # edits
MATTERING = 0.02  # of the wrong numbers, that another turn must explain beyond the first
TURNS = 2  # without those that turned out to explain too little
TRIED, TRIED_IN_PAIRS = 400, 120  # wrong numbers
RIVALS = 8
MINOR = 0.1  # of the wrong numbers, where most are unexplained
MATTERS = 0.9  # of the numbers may stay as they are with an edit that is tried in pairs
CONTRADICTED = 0.05  # of the numbers that an edit explains
ALL_BUT, USED = 0.01, 0.05  # of the wrong numbers; of what an edit allows, and so often
PLACED = 0.9  # of the numbers that need an edit: where its rule, or two of them, must hold
EXACT = 1  # `Edit.last` of what allows next to nothing
MAINLY = 0.5  # where the first of two must
HINTS = 0.05  # of the numbers that an edit gives alone, so that it may be one of two


@dataclass(frozen=True)
class Explanation:
    """An edit, and where it is made."""

    edit: Edit
    rule: Rule


@dataclass(frozen=True)
class Explained:
    """The wrong numbers of one result.

    Attributes:
        explanations: each with how many wrong numbers it explains, and how many right ones
            contradict it.
        wrong: how many numbers are wrong.
        left: how many of them stay unexplained, and where they lie.
        most: how far off the unexplained ones are.
        cut: whether some edits were not tried together, since it takes long.
    """

    explanations: tuple[tuple[Explanation, int, int], ...]
    wrong: int
    left: int
    where: Rule
    most: float
    cut: bool = False


class Compared:
    """Some right and some wrong numbers, and with which edits they come out."""

    def __init__(self, trials: Trials, right: Mask) -> None:
        rng, self._trials, self._known = np.random.default_rng(1), trials, dict[Edits, Mask]()
        groups = (np.flatnonzero(right), np.flatnonzero(~right))
        self.at = np.sort(np.concatenate([rng.permutation(g)[: trials.compared] for g in groups]))

    def fits(self, made: Edits) -> Mask:
        if made not in self._known:
            self._known[made] = self._trials.fits(made, self.at)
        return self._known[made]


def explain(trials: Trials, features: Features, most: int = MOST) -> Explained:
    """What explains the wrong numbers among these: so many edits at most."""
    every = np.arange(len(trials.found))
    right = trials.fits(frozenset(), every)
    features = {**features, **trials.features}
    banned: Edits = frozenset()
    best: Explained | None = None
    compared = Compared(trials, right)
    for _ in range(TURNS):
        edits = _edits(trials, every[~right], features, compared, banned, most)
        found = _counted(trials, _placed(trials, edits, features, compared), features, right)
        if best is None or found.left < best.left - MATTERING * found.wrong:
            best = found
        withheld = frozenset(edits) - {one.edit for one, *_ in found.explanations}
        if not withheld:
            break
        banned |= withheld
    assert best is not None
    return replace(best, cut=trials.exhausted())


def explained_by(known: Sequence[Edit], trials: Trials, features: Features) -> Explained:
    """What these edits explain of the numbers, each where it can be; no others are looked for."""
    right = trials.fits(frozenset(), np.arange(len(trials.found)))
    features = {**features, **trials.features}
    placed = _placed(trials, known, features, Compared(trials, right))
    return _counted(trials, placed, features, right)


def _edits(
    trials: Trials, wrong: Indices, features: Features, compared: Compared, banned: Edits, most: int
) -> tuple[Edit, ...]:
    """The fewest edits, of which some give each of the wrong numbers."""
    chosen: tuple[Edit, ...] = ()
    library = dict.fromkeys(trials.edits)
    rng = np.random.default_rng(0)
    left = wrong
    while len(left) >= FEW and len(chosen) < most and not trials.exhausted():
        some = np.sort(rng.permutation(left)[:TRIED])
        for made in subsets(chosen):
            library |= dict.fromkeys(
                trials.estimated(made, rng.permutation(left)[: trials.compared])
            )
        candidates = [edit for edit in library if edit not in banned]
        more = _next(trials, chosen, candidates, some, features, compared, pairs=most > 1)
        if not more:
            break
        chosen = (*chosen, *more)
        left = left[~_fit(trials, chosen, left)]
    return chosen


def _next(
    trials: Trials, chosen: Sequence[Edit], library: Sequence[Edit], some: Indices,
    features: Features, compared: Compared, *, pairs: bool,
) -> tuple[Edit, ...]:  # fmt: skip
    """The edit, or the two, that explain most of these numbers beside those that are chosen."""
    candidates = [edit for edit in library if edit not in chosen]
    if len(few := trials.few(some)) < len(some):  # what gives none of a few is tried if none does
        fits = _fit_each(trials, chosen, (), candidates, few)
        giving = [e for e, fit in zip(candidates, fits, strict=True) if fit.any()]
        candidates = giving or candidates
    fits = _fit_each(trials, chosen, (), candidates, some)
    weights = fits / np.maximum(fits.sum(axis=0), 1)
    gains, counts = weights.sum(axis=1), fits.sum(axis=1)
    last = np.array([edit.last > 0 for edit in candidates], bool)
    exact = counts[~last].max(initial=0)  # what allows more may hide two that say what it is
    if exact >= max(len(some) / 4, FEW):
        counts = np.where(last, 0, counts)
    best = counts.max(initial=0)
    alone = exact if exact >= max(HINTS * len(some), FEW) else best
    if pairs and alone < len(some) / 2 and len(chosen) < 2:
        every = [edit for edit in library if edit not in chosen]
        pair = _pair(trials, chosen, every, some)
        if pair is not None and pair[0] > max(2 * alone, best - 1, FEW):
            return pair[1]
    if best < FEW:
        return ()
    rivals = [i for i in np.argsort(-gains, kind="stable")[:RIVALS] if counts[i] >= 0.8 * best]
    rivals = rivals or [int(counts.argmax())]

    def merit(i: int) -> tuple[float, ...]:
        edit = candidates[i]
        rules, share = _place(trials, (*chosen, edit), edit, features, compared)
        simple = sum(len(rule.conditions) for rule in rules)
        return (round(share * counts[i] / best, 1), -edit.last, -simple, gains[i])

    return (candidates[max(rivals, key=merit)],)


def _pair(
    trials: Trials, chosen: Sequence[Edit], candidates: Sequence[Edit], some: Indices
) -> tuple[int, tuple[Edit, Edit]] | None:
    few = trials.few(some)
    few = few[:: len(few) // TRIED_IN_PAIRS + 1]
    best: tuple[int, tuple[Edit, Edit]] | None = None
    for one, others in _pairs(trials, _that_matter(trials, candidates, few), few):
        counts = _fit_each(trials, chosen, (one,), others, few).sum(axis=1) * len(some) / len(few)
        first = int(counts.argmax())
        if best is None or int(counts[first]) > best[0]:
            best = int(counts[first]), (one, others[first])
        if best[0] == len(some) or trials.exhausted():
            break
    return best


def _that_matter(trials: Trials, edits: Sequence[Edit], at: Indices) -> list[Edit]:
    """The edits that change some of these numbers, each in another way; other places take long."""
    exact = [edit for edit in edits if not edit.last and "place" not in edit.does]
    with np.errstate(all="ignore"):
        usual, radius = trials.values(frozenset(), at)
        values, _ = trials.values_each(frozenset(), exact, at)
    alike = _same(values, usual, radius).mean(axis=1)
    found: dict[bytes, Edit] = {}
    for edit, value, share in zip(exact, np.round(values, 9), alike, strict=True):
        if share < MATTERS:
            found.setdefault(value.tobytes(), edit)
    return list(found.values())


def _pairs(
    trials: Trials, edits: Sequence[Edit], at: Indices
) -> Iterator[tuple[Edit, Sequence[Edit]]]:
    """One, and those to try with it; of many, one that leads nearest to what was found."""
    order, most = edits, len(edits) - 1
    if len(edits) > trials.paired:
        with np.errstate(all="ignore"):
            usual = trials.values(frozenset(), at)
            off = [
                np.fmax(np.abs(trials.found[at] - value), radius)
                for value, radius in (usual, trials.values_each(frozenset(), edits, at))
            ]
            nearer = np.nanmean(np.log(off[1] / off[0]), axis=1)
        order = [edits[i] for i in np.argsort(nearer, kind="stable")]
        most = trials.paired
    yield from ((one, order[n + 1 :]) for n, one in enumerate(order[:most]))


def _fit(trials: Trials, chosen: Sequence[Edit], at: Indices) -> Mask:
    """Which numbers come out with some of the chosen edits."""
    found = np.zeros(len(at), bool)
    for made in subsets(chosen):
        if len(left := np.flatnonzero(~found)):
            found[left] = trials.fits(made, at[left])
    return found


def _fit_each(
    trials: Trials,
    chosen: Sequence[Edit],
    more: tuple[Edit, ...],
    each: Sequence[Edit],
    at: Indices,
) -> Mask:
    """The same with one of several edits beside, (len(each), len(at))."""
    found = np.zeros((len(each), len(at)), bool)
    for made in subsets(chosen):
        fitting = [n for n, edit in enumerate(each) if combinable((*made, *more, edit))]
        with_it = trials.fits_each(made | {*more}, [each[n] for n in fitting], at)
        found[fitting] |= with_it
    return found


def subsets(edits: Sequence[Edit]) -> Iterator[Edits]:
    """Those that can be combined, the smaller ones first."""
    every = chain.from_iterable(combinations(edits, n) for n in range(len(edits) + 1))
    return (frozenset(some) for some in every if combinable(some))


def _place(
    trials: Trials, edits: Sequence[Edit], edit: Edit, features: Features, compared: Compared
) -> tuple[tuple[Rule, ...], float]:
    """Where an edit among these is made, and of how much that needs it one of the rules holds.

    What allows more, and much, counts for nothing: it would fit anywhere.
    """
    at = compared.at
    with_it, without = np.zeros((2, len(at)), bool)
    for made in subsets([one for one in edits if one.last <= max(edit.last, EXACT)]):
        fits = compared.fits(made)
        if edit in made:
            with_it |= fits
        else:
            without |= fits
    inside, outside = with_it & ~without, without & ~with_it & ~_changes_nothing(trials, edit, at)
    if inside.sum() < FEW:
        return (Rule(),), 0.0
    here = {name: values[at] for name, values in features.items()}
    rule, share = shortest(here, inside, outside)
    rest = inside & ~rule.holds(here)
    if MAINLY < share <= PLACED:
        other, more = shortest(here, rest, outside)
        cut = any(c.sign not in "=≠" for c in (*rule.conditions, *other.conditions))
        if not cut and share + more * rest.sum() / inside.sum() > PLACED:
            return (rule, other), share + more * rest.sum() / inside.sum()
    return (rule,), share


def _changes_nothing(trials: Trials, edit: Edit, at: Indices) -> Mask:
    """Which numbers are the same with an edit; none for one that only allows more."""
    with np.errstate(all="ignore"):
        (usual, radius), (value, _) = (trials.values(frozenset(e), at) for e in ((), (edit,)))
    return _same(value, usual, radius) & (edit.last == 0)


def _same(value: Float64, usual: Float64, radius: Float64) -> Mask:
    with np.errstate(all="ignore"):
        same: Mask = (np.abs(value - usual) <= radius) | (np.isnan(value) & np.isnan(usual))
    return same


def _placed(
    trials: Trials, edits: Sequence[Edit], features: Features, compared: Compared
) -> list[Explanation]:
    """The edits that have a place; once more, beside and by features of those with a place."""
    found: dict[Edit, list[Explanation]] = {}
    for again in (False, True):
        for edit in edits:
            if edit not in found:
                beside = (*found, edit) if again else edits
                rules, share = _place(trials, beside, edit, features, compared)
                placed = [Explanation(edit, rule) for rule in rules]
                found |= {edit: placed} if share > PLACED else {}
        own = {name: values.copy() for name, values in trials.features.items()}
        for made, at in groups(trials, [*chain(*found.values())], features):
            for name, values in trials.features_with(made, at).items():
                own[name][at] = values
        features = {**features, **own}
    return [one for edit in edits for one in found.get(edit, ())]


def _counted(
    trials: Trials, found: Sequence[Explanation], features: Features, right: Mask
) -> Explained:
    """What is right or explained where all edits are made just where they are said to be."""
    fits = fits_as_said(trials, found, features)
    counts = tuple(
        (one, int((fits & ~right & ~others).sum()), int((~fits & right & others).sum()))
        for one in found
        for others in [
            fits_as_said(trials, [other for other in found if other is not one], features)
        ]
    )
    wrong, left = int((~right).sum()), ~fits & ~right
    unknown = left.sum() / max(wrong, 1)  # where it is much, some of it may look like anything
    strict = left.sum() > ALL_BUT * wrong  # what allows much then fits by chance

    def convinces(one: Explanation, explains: int, against: int) -> bool:
        special = len(one.rule.conditions)
        least = 0.25 if unknown > 0.5 else MINOR if unknown > MINOR and special > 1 else 0
        enough = explains >= max(FEW + 3 * special, least * wrong)
        if one.edit.last > 1:
            enough &= not strict and explains >= MINOR * wrong
            enough = enough and _uses_it(trials, one.edit, fits & ~right)
        return enough and against <= CONTRADICTED * explains

    unsure = [one for one in counts if not convinces(*one)]
    if unsure:  # one after the other, since the worst may be what contradicts the others
        worst, *_ = min(unsure, key=lambda one: one[1] - one[2])
        return _counted(trials, [one for one in found if one is not worst], features, right)
    rule, share = shortest(features, left, right) if left.any() else (Rule(), 0)
    where = rule if share > PLACED else Rule()
    at = np.flatnonzero(left)
    with np.errstate(all="ignore"):
        off = np.abs(trials.found[at] - trials.values(frozenset(), at)[0])
    most = float(np.max(off, initial=0, where=np.isfinite(off)))
    return Explained(counts, wrong, int(left.sum()), where, most)


def _uses_it(trials: Trials, edit: Edit, explained: Mask) -> bool:
    """Whether some numbers are off by a fair part of what an edit allows more than usual."""
    at = np.flatnonzero(explained)
    with np.errstate(all="ignore"):
        _, usual = trials.values(frozenset(), at)
        value, radius = trials.values(frozenset([edit]), at)
        used = np.abs(trials.found[at] - value) / radius
    return bool((used[(radius > 4 * usual) & (used <= 1)] > USED).mean() > USED)


def fits_as_said(trials: Trials, found: Sequence[Explanation], features: Features) -> Mask:
    """Which numbers come out where every edit is made just where it is said to be."""
    fits = np.zeros(len(trials.found), bool)
    for made, at in groups(trials, found, features):
        if combinable(made):
            fits[at] = trials.fits(made, at)
    return fits


def groups(
    trials: Trials, found: Sequence[Explanation], features: Features
) -> Iterator[tuple[Edits, Indices]]:
    """The numbers for which the same edits are made.

    What the trials' own features are depends on the edits whose rules do not name them.
    """
    last = [one for one in found if one.rule.names & trials.features.keys()]
    first = [one for one in found if one not in last]
    for made, at in _alike(first, features, len(trials.found)):
        here = {name: values[at] for name, values in features.items()} if last else {}
        here |= trials.features_with(made, at) if last else {}
        for more, within in _alike(last, here, len(at)):
            yield made | more, at[within]


def _alike(
    found: Sequence[Explanation], features: Features, size: int
) -> Iterator[tuple[Edits, Indices]]:
    if not found:
        yield frozenset(), np.arange(size)
        return
    made = np.array([one.rule.holds(features) for one in found])
    kinds, which = np.unique(made, axis=1, return_inverse=True)
    for k, kind in enumerate(kinds.T):
        edits = frozenset(one.edit for one, on in zip(found, kind, strict=True) if on)
        yield edits, np.flatnonzero(which.ravel() == k)

"""One champion a kind, and the way back."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mmd.errors import ArtefactError
from models.registry import POINTERS, Demotion, Pointers, Registry
from tests.trained_models import forest_artefact, network_artefact


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Three networks of ours, a shipped forest that is champion there."""
    shipped = tmp_path / "shipped"
    forest = forest_artefact(shipped)
    Registry(shipped).promote(forest.path.name)
    for seed in (1, 2, 3):
        network_artefact(tmp_path / "own", seed)
    return Registry(tmp_path / "own", shipped)


def networks(registry: Registry) -> list[str]:
    return [i for i in registry.ids() if i.startswith("price_lstm")]


def test_the_shipped_champion_trades_until_there_is_one_of_ours(registry: Registry) -> None:
    """And a promotion of another kind takes the shipped pointers over."""
    assert len(registry.ids()) == 4
    forest = registry.champion("spread_forest")
    assert forest is not None
    assert registry.champion("price_lstm") is None
    registry.promote(networks(registry)[0])
    assert registry.pointers("spread_forest").champion == forest.path.name
    still = registry.champion("spread_forest")
    assert still is not None
    assert still.path == forest.path


def test_promotion_and_rollback(registry: Registry) -> None:
    """Back through the champions in the order in which they came, then no further."""
    first, second, third = networks(registry)
    assert registry.promote(first) == ""
    registry.challenge(second)
    assert registry.pointers("price_lstm").challenger == second
    assert registry.promote(second) == first
    assert registry.promote(third[:20]) == second
    assert registry.pointers("price_lstm") == Pointers(third, [first, second], "")
    assert registry.rollback("price_lstm") == second
    assert registry.rollback("price_lstm") == first
    with pytest.raises(ArtefactError, match="no champion before"):
        registry.rollback("price_lstm")
    with pytest.raises(ArtefactError, match="is the champion already"):
        registry.promote(first)


def test_one_canary_at_a_time(registry: Registry) -> None:
    """Another one takes its place, of whatever kind; promoted, it is none any more; the champion cannot be one."""
    first, second, third = networks(registry)
    registry.promote(first)
    registry.challenge(second)
    registry.canary(second)
    assert registry.pointers("price_lstm") == Pointers(first, [], "", second)
    registry.canary(third)
    assert registry.pointers("price_lstm").canary == third
    assert registry.promote(third) == first
    assert registry.pointers("price_lstm") == Pointers(third, [first])
    with pytest.raises(ArtefactError, match="champion already"):
        registry.canary(third)
    registry.canary(first)
    assert registry.end_canary() == first
    assert registry.end_canary() == ""


def test_a_damaged_model_is_not_promoted(registry: Registry) -> None:
    """The champion stays who it was."""
    good, bad, _ = networks(registry)
    registry.promote(good)
    (registry.path(bad) / "weights.npz").write_bytes(b"")
    with pytest.raises(ArtefactError, match="expected SHA-256"):
        registry.promote(bad)
    assert registry.pointers("price_lstm").champion == good


def test_a_demoted_champion_waits_for_a_persons_word(registry: Registry) -> None:
    """It is told once and of the champion alone; the same one may be promoted again, or the one before; then all is forgotten."""
    first, second, third = networks(registry)
    registry.promote(first)
    registry.promote(second)
    demotion = Demotion(second, "v:S", "faults", "2026-01-02T03:04:05+00:00")
    assert registry.demote("price_lstm", demotion)
    assert not registry.demote("price_lstm", demotion)
    assert not registry.demote("price_lstm", Demotion(first, "v:S", "faults", ""))
    at = registry.pointers("price_lstm")
    assert (at.champion, at.demotion("v:S"), at.demotion("v:T")) == (second, demotion, None)
    assert registry.promote(second) == second
    assert registry.pointers("price_lstm") == Pointers(second, [first])
    registry.demote("price_lstm", demotion)
    registry.promote(third)
    assert registry.pointers("price_lstm") == Pointers(third, [first])
    registry.demote("price_lstm", Demotion(third, "v:S", "markout", ""))
    assert registry.rollback("price_lstm") == first
    assert registry.pointers("price_lstm") == Pointers(first)


def test_two_who_write_at_once_undo_nothing_of_each_other(registry: Registry) -> None:
    """A daemon's demotions and a person's challenger."""
    first, second, _ = networks(registry)
    registry.promote(first)
    places = [f"v:{k}" for k in range(20)]

    def demote(place: str) -> bool:
        return Registry(registry.folder).demote("price_lstm", Demotion(first, place, "faults", ""))

    with ThreadPoolExecutor(4) as pool:
        challenging = pool.submit(registry.challenge, second)
        assert all(pool.map(demote, places))
        challenging.result()
    at = registry.pointers("price_lstm")
    assert at.challenger == second
    assert sorted(d.instrument for d in at.demoted) == sorted(places)


def test_ids_may_be_shortened_while_they_are_clear(registry: Registry) -> None:
    """Else the message says which there are."""
    with pytest.raises(ArtefactError, match="3 models with an id like 'price'"):
        registry.path("price")
    with pytest.raises(ArtefactError, match="no model with an id like 'x'; there are: price_lstm-"):
        registry.path("x")


def test_damaged_pointers_are_told(registry: Registry) -> None:
    """Not taken for none."""
    (registry.folder / POINTERS).write_text("{")
    with pytest.raises(ArtefactError, match="is damaged"):
        registry.pointers("price_lstm")

"""An arm is held, its fills are judged, and what they earned after fees and risk is its reward."""

import pytest

from mmd.core.flow.markout import Markouts
from mmd.core.learned.bandit_run import BanditRun
from mmd.core.learned.bandit_spec import RULES, BanditSpec
from mmd.core.learned.bandits import NEUTRAL, Arm
from mmd.core.quoting.record import QUOTE
from mmd.core.units import NANOS_PER_SECOND, Side
from mmd.jit.kernel import new

S = NANOS_PER_SECOND
WIDE = Arm(2.0, 0.0)
SPEC = BanditSpec(rule="discounted_ucb", arms=(NEUTRAL, WIDE), hold_ns=10 * S, horizon_ns=S)
MID = 20_000


class World:
    """A bandit whose fills a test makes: one tick a basis point, a hundred lots an order."""

    def __init__(self, spec: BanditSpec = SPEC, seed: int = 1) -> None:
        self.markouts, self.quote = Markouts(), new(QUOTE)
        self.quote["unit_lots"] = 100
        self.used: list[Arm] = []
        self.run = BanditRun(
            spec, seed=seed, stream=0, markout=self.markouts.record, quote=self.quote,
            use=self.used.append,
        )  # fmt: skip
        self.now_s = 100
        self.markouts.on_mid(MID, 1)

    def step(self, seconds: int = 1, *, is_quoting: bool = True, per_fill: int = 0) -> None:
        """Seconds of quoting, in each of which one order is filled with that edge in ticks."""
        for _ in range(seconds):
            now_ns = self.now_s * S
            self.markouts.on_time(now_ns)
            self.run.on_step(now_ns, 1.0, is_quoting=is_quoting)
            if per_fill != 0:
                self.markouts.on_fill(Side.BUY, MID // 2 - per_fill, 100, MID, now_ns + 1)
            self.now_s += 1


def test_the_reward_is_what_the_holds_fills_earned() -> None:
    """Ten fills of three ticks less a fee of one, in basis points of an order; the next two holds earn nothing."""
    world = World()
    world.quote["fee"] = 1.0
    world.step(10, per_fill=3)
    first = world.run.choices[0]
    world.step(10)
    assert world.run.tallies[first.arm].rewards == 1
    assert world.run.tallies[first.arm].earned == pytest.approx(10 * (3.0 - 1.0))
    world.step(12)
    assert sum(t.rewards for t in world.run.tallies) == 3
    assert sum(t.earned for t in world.run.tallies) == pytest.approx(20.0)


def test_inventory_costs_what_neutral_risk_aversion_says() -> None:
    """Half gamma sigma^2 q^2 a second, by the gamma that no arm has changed."""
    world = World()
    world.quote["sigma"], world.quote["inventory"], world.quote["gamma"] = 2.0, 3.0, 0.1
    for _ in range(22):
        world.quote["gamma"] = 0.1 * world.run.arm.gamma_factor
        world.step()
    assert sum(t.earned for t in world.run.tallies) == pytest.approx(-2 * 10 * 0.5 * 0.1 * 36.0)


def test_what_is_cut_short_teaches_nothing() -> None:
    """Quotes are pulled: back to the model's own, and the choice is abandoned."""
    world = World()
    world.step(10)
    world.step(1)
    assert world.used == [WIDE]
    world.step(3, is_quoting=False)
    assert (world.used, world.run.arm) == ([WIDE, NEUTRAL], NEUTRAL)
    assert world.run.abandoned == 1
    world.step(1)
    assert world.run.choices_total == 3
    assert sum(t.rewards for t in world.run.tallies) == 1


@pytest.mark.parametrize("rule", RULES)
def test_the_better_arm_is_held_more_often(rule: str) -> None:
    """Fills of the wide arm earn more: after two hundred holds it has most of the last hundred."""
    spec = BanditSpec(rule=rule, arms=(NEUTRAL, WIDE), hold_ns=2 * S, horizon_ns=S, memory=200)
    world = World(spec)
    for _ in range(400):
        world.step(1, per_fill=4 if world.run.arm == WIDE else 1 + world.now_s % 2)
    before = world.run.tallies[1].choices
    for _ in range(200):
        world.step(1, per_fill=4 if world.run.arm == WIDE else 1 + world.now_s % 2)
    assert world.run.tallies[1].choices - before > 65


def test_the_same_seed_chooses_the_same() -> None:
    """And says with what probability, above 0."""

    def choices(seed: int) -> list[tuple[int, float]]:
        spec = BanditSpec(rule="exp3s", arms=(NEUTRAL, WIDE), hold_ns=S, horizon_ns=S)
        world = World(spec, seed)
        world.step(60, per_fill=1)
        return [(c.arm, c.propensity) for c in world.run.choices]

    assert choices(1) == choices(1) != choices(2)
    assert all(0.0 < propensity < 1.0 for _, propensity in choices(1))

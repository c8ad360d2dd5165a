"""A lease is held, released or lost, and only a held one can be lost."""

from mmd.guardian.lease import Lease, LeaseState


def test_a_lease_runs_out_unless_it_is_renewed() -> None:
    """To the nanosecond; a daemon that comes back holds it again."""
    lease = Lease()
    lease.renew("a", 100, 1_000)
    assert not lease.expire(1_099)
    lease.renew("a", 100, 1_050)
    assert not lease.expire(1_149)
    assert lease.expire(1_150)
    assert lease.expire(1_151)
    assert (lease.state, lease.losses, lease.renewals) == (LeaseState.LOST, 1, 2)
    lease.renew("b", 100, 2_000)
    assert (lease.state, lease.session) == (LeaseState.HELD, "b")
    assert not lease.expire(2_050)


def test_who_has_left_in_order_loses_nothing() -> None:
    """Nor does a guardian to which nobody ever came."""
    lease = Lease()
    lease.lose()
    assert not lease.expire(10**18)
    lease.renew("a", 100, 0)
    lease.release()
    lease.lose()
    assert not lease.expire(10**18)
    assert (lease.state, lease.losses) == (LeaseState.IDLE, 0)


def test_a_venue_that_is_left_out_is_lost_when_the_last_renewal_with_it_ends() -> None:
    """Once, and the others never; with it again it is held everywhere."""
    lease = Lease()
    lease.renew("a", 100, 1_000)
    for now_ns in (1_050, 1_090):
        lease.renew("a", 100, now_ns, ("x",))
    assert lease.end_ns("x") == 1_100
    assert not lease.expire_at("x", 1_099)
    assert lease.expire_at("x", 1_100)
    lease.renew("a", 100, 1_110, ("x",))
    assert lease.expire_at("x", 1_120)
    assert not lease.expire_at("y", 1_120)
    assert (lease.state, lease.losses) == (LeaseState.HELD, 1)
    lease.renew("a", 100, 1_130)
    assert not lease.expire_at("x", 1_200)
    assert lease.expire(1_230)
    assert not lease.expire_at("x", 1_230), "all is lost: nothing of one venue alone"
    lease.renew("b", 100, 2_000, ("x",))
    assert lease.expire_at("x", 2_000), "it was lost before, and is not covered now"

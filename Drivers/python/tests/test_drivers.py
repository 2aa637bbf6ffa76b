"""One test for each ability of each installed driver. `Drivers/test NAME` runs those of one driver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from peer import DRIVERS, MS, Peer


def systems() -> list:
    chosen = os.environ.get("TAILRACE_TEST_DRIVERS", "").split()
    found = []
    for path in sorted(DRIVERS.glob("*/driver.json")):
        name = path.parent.name
        for system in json.loads(path.read_text())["systems"]:
            if not chosen or name in chosen or system["name"] in chosen:
                found.append(pytest.param((name, system), id=system["name"]))
    return found


@pytest.fixture(params=systems(), scope="module")
def system(request):
    name, description = request.param
    if subprocess.run([DRIVERS / "install", "--check", name], check=False).returncode:
        pytest.skip(f"{name} is not installed; run: Drivers/install {name}")
    return name, description


@pytest.fixture
def start(system):
    """Starts the driver, and ends it after the test whatever happens."""
    peers = []

    def run(*, needs: str = "", **settings) -> Peer:
        name, description = system
        if needs in description["lacks"]:
            pytest.skip(f"{description['name']} lacks {needs}")
        peer = Peer(name, description["arguments"], **settings)
        peers.append(peer)
        peer.wait_ready()
        assert set(peer.ready["lacks"]) == set(description["lacks"])
        roles = {process["role"] for process in peer.ready.get("processes", [])}
        private = not any(os.environ.get(f"TAILRACE_{server}") for server in ("REDIS", "POSTGRES", "AMQP"))
        assert roles == set(description["roles"]) - (set() if private else {"broker"})
        return peer

    yield run
    failed = None
    for peer in peers:
        peer.__exit__(failed)
        print(f"the driver's log:\n{peer.log_text()[-6000:]}")


#: Priorities order only what a worker fetched in advance.
APPROXIMATE = {"dramatiq"}

OK = (5 * MS, "succeeds")


def test_plain_jobs(start):
    peer = start(workers=3)
    for number in range(60):
        peer.job(number, OK)
    peer.send(type="drain")
    peer.settle()
    peer.stop()
    assert set(peer.causes.values()) == {"succeeded"}
    assert len(peer.accepted) == len(peer.attempts) == 60
    assert all(attempt["finished_ns"] - attempt["started_ns"] >= 5 * MS for attempt in peer.attempts)
    assert len({attempt["worker"] for attempt in peer.attempts}) <= 3


def test_report_starts(start):
    peer = start(workers=1, report_starts=True)
    peer.job(0, OK)
    peer.settle()
    peer.stop()
    [begun], [attempt] = peer.started, peer.attempts
    for key in ("job", "attempt", "worker", "started_ns"):
        assert begun[key] == attempt[key]


def test_priority_order_with_one_worker(start):
    peer = start(workers=1, needs="priorities")
    # The first jobs fill the worker and whatever it fetches in advance.
    blockers = 10
    for number in range(blockers):
        peer.job(number, (150 * MS, "succeeds"))
    order = ["batch", "low", "normal", "high", "critical"]
    for number, priority in enumerate(order * 4, start=blockers):
        peer.job(number, OK, priority=priority)
    peer.settle(60)
    peer.stop()
    ranked = [
        order[(a["job"] - blockers) % 5]
        for a in sorted(peer.attempts, key=lambda a: a["started_ns"])
        if a["job"] >= blockers
    ]
    if peer.ready["name"] in APPROXIMATE:
        places = {name: [place for place, other in enumerate(ranked) if other == name] for name in order}
        assert sum(places["critical"] + places["high"]) < sum(places["low"] + places["batch"])
        return
    assert ranked[-8:] == ["low"] * 4 + ["batch"] * 4
    urgent = [priority for priority in ranked if priority in ("critical", "high")]
    assert urgent == ["critical"] * 4 + ["high"] * 4


def test_delay(start):
    peer = start(needs="delays")
    peer.job(0, OK, delay_ns=2_000 * MS)
    peer.job(1, OK)
    peer.settle()
    peer.stop()
    [late], [early] = peer.attempts_of(0), peer.attempts_of(1)
    # Some schedulers cut instants to whole seconds.
    assert 900 * MS < late["started_ns"] - peer.accepted[0]["submitted_ns"] < 6_000 * MS
    assert early["started_ns"] < late["started_ns"]


def test_retries(start):
    peer = start(needs="retries", retries=2, retry_delay_ns=1_000 * MS)
    peer.job(0, (5 * MS, "fails"), (10 * MS, "succeeds"))
    peer.job(1, (5 * MS, "fails"))
    peer.job(2, (5 * MS, "fails_permanently"))
    peer.settle(60)
    peer.stop()
    assert peer.causes == {0: "succeeded", 1: "failed", 2: "failed_permanently"}
    assert [a["outcome"] for a in peer.attempts_of(0)] == ["failed", "succeeded"]
    assert [a["attempt"] for a in peer.attempts_of(1)] == [1, 2, 3]
    assert [a["attempt"] for a in peer.attempts_of(2)] == [1]
    first, second = peer.attempts_of(0)
    assert second["finished_ns"] - second["started_ns"] >= 10 * MS
    assert second["started_ns"] > first["finished_ns"]


def test_retry_without_delay(start):
    peer = start(needs="retries", retries=1)
    peer.job(0, (0, "fails"), (0, "succeeds"))
    peer.settle(60)
    peer.stop()
    assert [a["outcome"] for a in peer.attempts_of(0)] == ["failed", "succeeded"]


def test_timeouts(start):
    peer = start(needs="timeouts", timeout_ns=1_000 * MS)
    peer.job(0, (0, "hangs"))
    peer.job(1, (30_000 * MS, "succeeds"))
    peer.job(2, OK)
    peer.settle()
    peer.stop()
    assert peer.causes == {0: "timed_out", 1: "timed_out", 2: "succeeded"}
    for number in (0, 1):
        [attempt] = peer.attempts_of(number)
        assert 900 * MS < attempt["finished_ns"] - attempt["started_ns"] < 4_000 * MS


def test_timeout_is_retried(start):
    peer = start(needs="timeouts", timeout_ns=1_000 * MS, retries=1)
    if "retries" in peer.ready["lacks"]:
        pytest.skip("lacks retries")
    peer.job(0, (0, "hangs"), (5 * MS, "succeeds"))
    peer.settle()
    peer.stop()
    assert [a["outcome"] for a in peer.attempts_of(0)] == ["timed_out", "succeeded"]


def test_cancellation_before_the_start(start):
    peer = start(workers=1, needs="cancellation")
    for number in range(10):
        peer.job(number, (200 * MS, "succeeds"))
    peer.job(10, OK)
    peer.job(11, OK)
    peer.send(type="cancel", job=10)
    peer.settle()
    peer.stop()
    assert peer.causes[10] == "cancelled" and peer.attempts_of(10) == []
    assert peer.causes[11] == "succeeded"


def test_cancellation_of_a_delayed_job(start):
    peer = start(needs="cancellation")
    if "delays" in peer.ready["lacks"]:
        pytest.skip("lacks delays")
    peer.job(0, OK, delay_ns=3_000 * MS)
    peer.listen(0.3)
    peer.send(type="cancel", job=0)
    peer.settle()
    peer.stop()
    assert peer.causes[0] == "cancelled" and peer.attempts == []


def test_late_cancellation_is_harmless(start):
    peer = start(needs="cancellation")
    peer.job(0, OK)
    peer.settle()
    peer.send(type="cancel", job=0)
    peer.job(1, OK)
    peer.settle()
    peer.stop()
    assert peer.causes == {0: "succeeded", 1: "succeeded"}


def test_dependencies(start):
    peer = start(needs="dependencies")
    peer.job(0, (300 * MS, "succeeds"))
    peer.job(1, (300 * MS, "fails"))
    peer.job(2, OK, depends_on=[0])
    peer.job(3, OK, depends_on=[0, 1])
    peer.job(4, OK, depends_on=[3])
    peer.settle()
    peer.job(5, OK, depends_on=[1])
    peer.job(6, OK, depends_on=[0])
    peer.settle()
    peer.stop()
    assert peer.causes == {
        **{0: "succeeded", 1: "failed", 2: "succeeded", 3: "dependency_failed", 4: "dependency_failed"},
        **{5: "dependency_failed", 6: "succeeded"},
    }
    assert peer.attempts_of(2)[0]["started_ns"] >= peer.attempts_of(0)[0]["finished_ns"]


def test_stop_in_the_middle(start):
    peer = start(retries=1)
    for number in range(30):
        peer.job(number, (20_000 * MS, "succeeds"))
    peer.listen(0.5)
    peer.stop()


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "stop"])
def test_end_while_starting(system, how):
    name, description = system
    with Peer(name, description["arguments"]) as peer:
        time.sleep(0.4)
        if how == "stop":
            peer.send(type="stop")
        elif how == "SIGTERM":
            peer.driver.terminate()
            if peer.driver.wait(10) == -signal.SIGTERM:
                # The interpreter itself was still starting.
                peer.assert_nothing_is_left()
                return
        else:
            peer.driver.stdin.close()
        peer.finish(10)


def test_end_of_input(start):
    peer = start()
    peer.job(0, (20_000 * MS, "succeeds"))
    peer.listen(0.3)
    peer.driver.stdin.close()
    peer.finish(10)


@pytest.mark.parametrize("whom", ["driver", "group"])
def test_sigkill_of_the_driver(start, whom):
    peer = start()
    for number in range(4):
        peer.job(number, (20_000 * MS, "succeeds"))
    peer.listen(0.5)
    if whom == "driver":
        peer.driver.kill()
    else:
        os.killpg(peer.driver.pid, signal.SIGKILL)
    peer.driver.wait()
    end = time.monotonic() + 5
    while (peer.processes() or peer.leftovers()) and time.monotonic() < end:
        time.sleep(0.05)
    peer.assert_nothing_is_left()


def replace(peer: Peer, process: dict, jobs_meanwhile: range = range(0)) -> None:
    os.kill(process["pid"], signal.SIGKILL)
    time.sleep(0.2)
    for number in jobs_meanwhile:
        peer.job(number, OK)
    time.sleep(0.3)
    peer.send(type="restart", process=process["name"])

    def replacements() -> list[dict]:
        return [other for other in peer.replaced if other["name"] == process["name"]]

    count = len(replacements())
    peer.until(lambda: len(replacements()) > count, 20)
    new = replacements()[-1]
    assert (new["role"], new["name"]) == (process["role"], process["name"])
    assert new["pid"] != process["pid"]


def test_restart_of_a_killed_worker(start, system):
    if "worker" not in system[1]["roles"]:
        pytest.skip("has no worker process")
    peer = start(workers=2)
    peer.crashes = True
    peer.job(0, OK)
    peer.settle()
    workers = [process for process in peer.ready["processes"] if process["role"] == "worker"]
    for process in workers:
        replace(peer, process)
    for number in range(1, 9):
        peer.job(number, OK)
    peer.settle(60)
    assert set(peer.causes.values()) == {"succeeded"}
    peer.stop()


def test_restart_of_a_killed_broker(start, system):
    if "broker" not in system[1]["roles"]:
        pytest.skip("has no broker")
    peer = start(workers=2)
    if not any(process["role"] == "broker" for process in peer.ready["processes"]):
        pytest.skip("the broker is not private")
    peer.crashes = True
    peer.job(0, OK)
    peer.settle()
    [broker] = [process for process in peer.ready["processes"] if process["role"] == "broker"]
    # What is submitted while the broker is away may be refused, but must not keep it away.
    replace(peer, broker, range(1, 11))
    peer.listen(1)
    for number in range(11, 19):
        peer.job(number, OK)
    # Workers wait longer and longer between two attempts to connect.
    peer.settle(90)
    peer.stop()
    assert {peer.causes[number] for number in range(11, 19)} == {"succeeded"}
    assert set(peer.causes.values()) <= {"succeeded", "rejected"}

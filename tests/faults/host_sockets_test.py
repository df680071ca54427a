"""The sockets of a server's port as its host tells them, against ss and against paths that do harm."""

import collections
import contextlib
import os
import resource
import socket
import subprocess
import sys

import pytest

from tests.faults.far import FAR
from tests.faults.held import stopped
from tests.faults.host_looks import Host
from tests.integration.scenes import Session
from tests.support.midbox import SERVER_ADDRESS, Namespace
from tests.support.process import eventually

# The names of ss by ours.
OF_SS = {
    "ESTAB": "established", "SYN-SENT": "syn_sent", "SYN-RECV": "syn_recv", "FIN-WAIT-1": "fin_wait1",
    "FIN-WAIT-2": "fin_wait2", "TIME-WAIT": "time_wait", "UNCONN": "close", "CLOSE-WAIT": "close_wait",
    "LAST-ACK": "last_ack", "LISTEN": "listen", "CLOSING": "closing",
}


def told_by_ss(port):
    output = subprocess.run(["ss", "-Htan", f"sport = :{port}"], capture_output=True, text=True, check=True).stdout
    return collections.Counter(OF_SS[line.split()[0]] for line in output.splitlines())


def told_by_us(look):
    samples = look.metrics.samples("pgconn_host_tcp_connections")
    return collections.Counter({sample.labels["state"]: int(sample.value) for sample in samples if sample.value})


def retransmits(look):
    return look.metrics.value("pgconn_host_tcp_retransmits_total")


def round_trips(look):
    return look.metrics.value("pgconn_host_tcp_round_trip_seconds_count")


def test_counts_by_state_are_those_of_ss(server):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(server.connect())) for _ in range(12)]
        # What is only half closed is a state of its own.
        half_closed = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        half_closed.shutdown(socket.SHUT_WR)
        host = stack.enter_context(Host(clients[0]))

        def agree():
            before, look, after = told_by_ss(server.port), host.look(), told_by_ss(server.port)
            return look if before == after == told_by_us(look) else None

        look = eventually(agree, what="a moment without a change, in which both agree")
        assert look.connections("established") == 12
        assert look.connections("listen") == 1
        assert look.unread.get("sockets") is None
        while len(clients) > 4:
            clients.pop().close()
        look = eventually(agree, what="a moment without a change, in which both agree")
        eventually(lambda: host.look().connections("established") == 4, what="eight fewer")


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on loopback here")
def test_connections_over_both_families_are_counted(new_box):
    server = new_box(listen_addresses="127.0.0.1,::1")
    over_ipv6 = {"host": "::1", "sslmode": "require", "sslrootcert": None}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(server.connect(**how))) for how in ({}, over_ipv6, over_ipv6)]
        for client in (clients[0], clients[-1]):  # either may lead to the postmaster
            with Host(client) as host:
                look = host.look()
            assert look.connections("established") == 3
            assert look.connections("listen") == 2


@pytest.mark.skipif(os.getuid() != 0, reason="only root may see the files of a server of another user")
def test_two_servers_on_one_port_at_different_addresses_are_told_apart(new_box):
    one = new_box(listen_addresses="127.0.0.1")
    other = new_box(port=one.port, listen_addresses="127.0.0.2")
    at_other = {"host": "127.0.0.2", "sslmode": "require", "sslrootcert": None}
    with contextlib.ExitStack() as stack:
        for server, how, count in ((one, {}, 3), (other, at_other, 5)):
            for _ in range(count):
                stack.enter_context(contextlib.closing(server.connect(**how)))
        assert told_by_ss(one.port)["listen"] == 2
        for server, how, count in ((one, {}, 4), (other, at_other, 6)):  # with the one that leads there
            with contextlib.closing(server.connect(**how)) as client, Host(client) as host:
                look = host.look()
            assert look.unread.get("sockets") is None
            assert look.connections("listen") == 1
            assert look.connections("established") == count
            # The other end of each is on loopback too, at a port of its own.
            assert told_by_us(look).keys() <= {"listen", "established", "time_wait", "close_wait", "last_ack"}


@pytest.mark.parametrize("user", [None, 65534], ids=["root", "nobody"])
def test_no_privilege_is_needed_but_for_the_kernels_log(server, user):
    with contextlib.closing(server.connect()) as client, Host(client, user=user) as host:
        look = host.look()
    assert set(look.unread) <= {"kernel_log"}
    assert look.connections("established") >= 1
    assert look.metrics.value("pgconn_host_postmaster_oom_score_adj") is not None
    assert look.metrics.value("pgconn_host_tcp_keepalive_seconds", setting="idle") == int(
        open("/proc/sys/net/ipv4/tcp_keepalive_time").read())


def test_idle_connections_run_keepalive_timers(new_box):
    server = new_box()
    timers = "pgconn_host_tcp_timers"
    with contextlib.closing(server.connect()) as client, Host(client) as host:
        eventually(lambda: host.look().metrics.value(timers, timer="keepalive") == 1, what="a keepalive timer")
        look = host.look()
        assert look.metrics.value(timers, timer="none") == 0
        assert look.metrics.value("pgconn_host_tcp_unanswered_connections") == 0


def test_silent_connections_add_no_round_trips(server):
    with contextlib.closing(server.connect()) as client, Host(client) as host:
        eventually(lambda: host.look().metrics.value("pgconn_host_tcp_unacked_bytes") == 0, what="silence")
        before = round_trips(host.look())
        assert before >= 1
        assert round_trips(host.look()) == before
        client.cursor().execute("SELECT 1")
        eventually(lambda: round_trips(host.look()) > before, what="another round trip")


@pytest.mark.parametrize("claim", [
    {"start": 1_000_000_000}, {"postmaster_start": 1_000_000_000}, {"peer": "192.0.2.1"}, {"pid": 1},
], ids=lambda claim: next(iter(claim)))
def test_a_process_of_that_number_is_not_taken_for_the_server_of_another_machine(server, claim):
    with contextlib.closing(server.connect()) as client, Host(client, **claim) as host:
        look = host.look()
    assert look.postmaster is None
    assert {"postmaster", "sockets", "cgroup"} <= set(look.unread)
    assert not look.metrics.samples("pgconn_host_tcp_connections")
    assert look.metrics.value("pgconn_host_postmaster_oom_score_adj") is None
    assert look.metrics.value("pgconn_host_tcp_keepalive_seconds", setting="idle") is None


@pytest.mark.parametrize("user", [None, 65534], ids=["root", "nobody"])
def test_sockets_of_another_network_namespace_are_not_taken_for_the_servers(server, user):
    client = server.connect()
    elsewhere = Namespace()
    try:
        # Somebody else's listener on that port, as a container's published one is.
        with elsewhere.inside(), socket.create_server(("127.0.0.1", server.port)), Host(client, user=user) as host:
            look = host.look()
        assert look.postmaster is not None
        assert "another network namespace" in look.unread["sockets"]
        assert not look.metrics.samples("pgconn_host_tcp_connections")
        assert not [sample for sample in look.metrics.samples("pgconn_host_kernel_setting")
                    if sample.labels["name"].startswith("net.")]
    finally:
        client.close()
        elsewhere.close()


def test_connections_that_the_postmaster_does_not_accept_are_counted(new_box):
    server = new_box(max_connections=5)
    queue, overflows = "pgconn_host_tcp_accept_queue", "pgconn_host_tcp_listen_overflows_total"
    with contextlib.ExitStack() as stack:
        host = stack.enter_context(Host(stack.enter_context(contextlib.closing(server.connect()))))
        look = host.look()
        assert look.metrics.value(queue) == 0
        limit = int(look.metrics.value("pgconn_host_tcp_accept_queue_limit"))
        before = look.metrics.value(overflows)

        def knock():
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", server.port))

        with stopped(look.postmaster):
            for _ in range(3):
                knock()
            assert eventually(lambda: host.look().metrics.value(queue) == 3, what="three that wait")
            assert host.look().metrics.value(overflows) == before
            for _ in range(limit):
                knock()
            # The kernel lets one more than the limit wait.
            eventually(lambda: host.look().metrics.value(queue) == limit + 1, what="a full queue")
            eventually(lambda: host.look().metrics.value(overflows) > before, what="one turned away")


def test_retransmits_rise_on_a_lossy_path_and_not_before(far_server):
    midbox, server = far_server()
    client = server.connect(**FAR)
    with midbox.server.inside():
        # The connection's own addresses are those of the path: here it is the server's machine that looks.
        host = Host(client, own=SERVER_ADDRESS, peer=SERVER_ADDRESS)
    with host, contextlib.closing(client):
        host.look()
        client.cursor().execute("SELECT repeat('x', 300000)")
        # A busy machine may answer so late that something is sent again.
        whole = retransmits(host.look())
        assert whole <= 3
        midbox.lose(15)
        client.cursor().execute("SELECT repeat('x', 300000)")
        lossy = retransmits(host.look())
        assert lossy >= whole + 5
        midbox.mend()
        client.cursor().execute("SELECT 1")
        mended = retransmits(host.look())
        # The connection takes its count with it, and the sum stays.
        client.close()
        with contextlib.closing(server.connect(**FAR)):
            assert retransmits(host.look()) >= mended >= lossy


def test_what_a_dead_path_leaves_unacknowledged_is_told(far_server):
    midbox, server = far_server()
    client = server.connect(**FAR)
    with midbox.server.inside():
        host = Host(client, own=SERVER_ADDRESS, peer=SERVER_ADDRESS)
    with host:
        writer = Session(server.dsn(**FAR))
        writer.start("SELECT pg_sleep(0.5), repeat('x', 3000000)")
        midbox.cut()

        def stuck():
            metrics = host.look().metrics
            return (metrics.value("pgconn_host_tcp_unacked_bytes") > 0
                    and metrics.value("pgconn_host_tcp_unsent_bytes") > 0
                    and metrics.value("pgconn_host_tcp_timers", timer="retransmit") >= 1
                    and metrics.value("pgconn_host_tcp_unanswered_connections") >= 1)

        eventually(stuck, what="data that is stuck")
        writer.close()
    client.close()


# Holds so many connections to a port until its standard input ends.
CLIENTS = """
import resource, socket, sys
port, count = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = [socket.create_connection(("127.0.0.2", port)) for _ in range(count)]
sys.stdin.read()
"""


def test_ten_thousand_connections_to_another_address_of_the_port_are_read_soon_and_not_counted(new_box):
    server = new_box()
    many = 10_000
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] < many + 200:
        pytest.skip(f"only {limits[1]} descriptors a process may be had here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (many + 200, limits[1]))
    try:
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(contextlib.closing(server.connect()))
            host = stack.enter_context(Host(client))
            # As many clients of a real server would take as many processes; the port is what counts.
            listener = stack.enter_context(socket.create_server(("127.0.0.2", server.port), backlog=4096))
            listener.settimeout(30)
            clients = stack.enter_context(subprocess.Popen(
                [sys.executable, "-c", CLIENTS, str(server.port), str(many)], stdin=subprocess.PIPE))
            for _ in range(many):
                stack.enter_context(listener.accept()[0])
            look = host.look()
            assert told_by_ss(server.port)["established"] == many + 1
            assert look.connections("established") == 1
            assert "sockets" not in look.unread
            assert look.seconds < 2
            clients.stdin.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

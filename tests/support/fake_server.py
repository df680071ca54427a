"""A PostgreSQL server that misbehaves in one chosen way; a new way is one line of MISBEHAVIOURS."""

import contextlib
import itertools
import struct
import time

from tests.support.peers import Peer, message


def row_description(*columns):
    return message(b"T", struct.pack("!h", len(columns)) + b"".join(
        name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, 25, -1, -1, 0) for name in columns))


def data_row(*values):
    cells = (struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value for value in values)
    return message(b"D", struct.pack("!h", len(values)) + b"".join(cells))


def parameter(name, value):
    return message(b"S", name + b"\0" + value + b"\0")


def rows(columns, *values):
    """The answer to one query of the extended protocol, without ReadyForQuery."""
    return (PARSED + row_description(*columns) + b"".join(data_row(*row) for row in values)
            + message(b"C", b"SELECT 1\0"))


PARSED = message(b"1", b"") + message(b"2", b"")
READY = message(b"Z", b"I")
MARKS = ("start_time", "server_clock", "checkpointer_start", "keepalives_idle", "keepalives_interval")


def welcome(version=b"17.0"):
    return (message(b"R", struct.pack("!i", 0)) + parameter(b"server_version", version)
            + parameter(b"server_encoding", b"UTF8") + message(b"K", struct.pack("!ii", 4711, 1)) + READY)


class Misbehaviour:
    """`answer` is sent for each Sync before ReadyForQuery, `welcome` for the startup packet; `flood` yields
    what is sent endlessly after the login, or, with `while_connecting`, instead of it.
    """

    def __init__(self, answer=b"", welcome=None, flood=None, while_connecting=False, ready=True):
        self.answer = answer + (READY if ready else b"")
        self.welcome = welcome or globals()["welcome"]()
        self.flood = flood
        self.while_connecting = while_connecting


def new_parameters():
    for number in itertools.count():
        yield b"".join(parameter(b"p%d_%d" % (number, i), b"x" * 1000) for i in range(50))


def notices():
    while True:
        yield message(b"N", b"SNOTICE\0C00000\0M" + b"blah " * 1000 + b"\0\0") * 10


MISBEHAVIOURS = {
    "a command's answer in place of rows": Misbehaviour(PARSED + message(b"C", b"SET\0")),
    "one column of another name": Misbehaviour(rows(["?column?"], [b"1"])),
    "no row": Misbehaviour(rows(["here"])),
    "no column": Misbehaviour(rows([], [])),
    "two rows": Misbehaviour(rows(["here"], [b"1"], [b"1"])),
    "an empty query's answer": Misbehaviour(PARSED + message(b"I", b"")),
    "words for numbers": Misbehaviour(rows(MARKS, [b"???"] * 5)),
    "NULL everywhere": Misbehaviour(rows(MARKS, [None] * 5)),
    "numbers beyond all clocks": Misbehaviour(rows(MARKS, [b"1e308"] * 5)),
    "no numbers": Misbehaviour(rows(MARKS, [b"NaN"] * 5)),
    "nothing but ready": Misbehaviour(b""),
    "never ready": Misbehaviour(PARSED, ready=False),
    "a copy": Misbehaviour(PARSED + message(b"H", struct.pack("!bh", 0, 0))),
    "an error for everything": Misbehaviour(message(b"E", b"SERROR\0CXX000\0Mno\0\0")),
    "a fatal error for everything": Misbehaviour(message(b"E", b"SFATAL\0C57P01\0Mno\0\0")),
    "twelve": Misbehaviour(welcome=welcome(b"12.22")),
    "a version that is none": Misbehaviour(welcome=welcome(b"mine")),
    "parameters without end": Misbehaviour(flood=new_parameters),
    "parameters without end before the login ends": Misbehaviour(flood=new_parameters, while_connecting=True),
    "notices without end": Misbehaviour(flood=notices),
    "parameters without end while it is held": Misbehaviour(rows(["here"], [b"1"]), flood=new_parameters),
    "notices without end while it is held": Misbehaviour(rows(["here"], [b"1"]), flood=notices),
    "notices without end before the login ends": Misbehaviour(flood=notices, while_connecting=True),
}


class FakeServer(Peer):
    """Lets everybody log in and misbehaves; `asked` counts the queries."""

    def __init__(self, misbehaviour):
        self._way = misbehaviour
        self.asked = 0
        super().__init__()

    def converse(self, connection):
        way = self._way
        connection.recv(65536)  # the startup packet
        if way.while_connecting:
            connection.sendall(message(b"R", struct.pack("!i", 0)))
            self._flood(connection)
        connection.sendall(way.welcome)
        while data := connection.recv(65536):
            syncs = count_syncs(data)
            self.asked += syncs
            connection.sendall(way.answer * syncs)
            if way.flood:
                self._flood(connection)

    def _flood(self, connection):
        for piece in self._way.flood():
            connection.sendall(piece)
            time.sleep(0.001)  # at most 50 MB per second: this test must not exhaust the machine


def count_syncs(data):
    """The Sync messages in one piece of a client's data; our pipelines are small enough to arrive in one."""
    count = at = 0
    with contextlib.suppress(struct.error):
        while at < len(data):
            (length,) = struct.unpack_from("!i", data, at + 1)
            count += data[at:at + 1] == b"S"
            at += 1 + length
    return count

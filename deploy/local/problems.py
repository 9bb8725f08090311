"""What can go wrong on a machine, said so that its user knows what to do."""


class LocalPlatformError(Exception):
    """The local platform cannot do what was asked; the text says why, and what helps."""


class JarsMissingError(LocalPlatformError):
    """Jars of Apache Kafka are neither here nor to be had."""


class JavaMissingError(LocalPlatformError):
    """No Java was found to run Apache Kafka with."""


class PostgresMissingError(LocalPlatformError):
    """The programs of PostgreSQL were not found."""


class NotReadyError(LocalPlatformError):
    """Something was started and did not become ready in time."""


class ProgramFailedError(LocalPlatformError):
    """A program that has to succeed did not."""


class ForeignDataError(LocalPlatformError):
    """The data belong to an account that we may not use."""

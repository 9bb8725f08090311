"""The words that docs/glossary.md has replaced in the code, each with what took its place.

Many old words are plain English, too, or names that a library has given (`note`, `keep`, `rest`, `Route`). Such a word
counts only where the row of the glossary speaks of it: as the name of a function or a class that this project defines,
or in the folder that the row is about.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

Kind = Literal["class", "function", "defined", "used", "module"]


@dataclass(frozen=True, slots=True)
class OldWord:
    """A word that the glossary has replaced.

    `kind` limits where it counts: as the name of a `class`, of a `function`, of anything that our code has `defined`
    (also parameters, variables, fields), of anything that is `used` (also what a library defines), or of a `module`.
    `where` is a pattern of the paths that the row of the glossary speaks of.
    """

    words: str
    instead: str
    kind: Kind = "used"
    where: str = ""

    def __contains__(self, name: str) -> bool:
        return _pattern(self.words).fullmatch(name) is not None

    def counts_in(self, path: str) -> bool:
        """Tell whether the word is looked for in this file."""
        return _pattern(self.where).match(path) is not None


@cache
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


_KIT = "shared/kit/"
_ROUTING = "services/routing/|tests/(?:unit|service)/routing/"
_NOTIFICATIONS = "services/notifications/|tests/(?:unit|service)/notifications/"
_INTAKE = "services/intake/|tests/(?:unit|service)/intake/"
_METRICS = "services/metrics/|tests/(?:unit|service)/metrics/"
_CELLS = "services/metrics/domain/|tests/unit/metrics/"
_LOCAL = "deploy/local/"

_CLASSES: Final = {
    "Tray": "WriteBatcher",
    "Desk": "IntakeContext or RoutingContext",
    "Sitting": "DecisionSession",
    "Circumstances": "DecisionContext",
    "Turn": "CaseDecision (DecisionBuilder while it collects)",
    "Prompt": "Cause",
    "Said": "OutgoingEvent",
    "Noted": "HistoryEntry",
    "Given": "Disclosure",
    "Barred": "DeniedDisclosure",
    "Heard": "ReceivedUpdate",
    "Standing": "CaseSnapshot, CandidateStatus, ImportStatus or PreconditionCheck",
    "Asking": "PlacementQuery",
    "Inquiry": "DisclosureQuery",
    "Telling": "EventTemplate",
    "Handed": "Submission",
    "Giving": "ReleasedForm",
    "Asked": "ReferralChange",
    "Fallen": "RevokedConsent",
    "Court": "CedarEvaluator",
    "Trial": "ClauseEvaluation",
    "Shelf": "cachetools.LRUCache",
    "Offer": "ClauseIndex",
    "Round": "RelayBatch",
    "Sending": "KafkaBatchSender",
    "Language": "TopicSpec",
    "Received": "InboundMessage",
    "Consumption": "ConsumerSupervisor",
    "Commits": "OffsetCommitter",
    "FinishedLater": "DeferredAck",
    "PatientConsumer": "BlockingPollConsumer",
    "Pauses": "ExponentialBackoff",
    "Seeing": "Observability",
    "Metering": "MetricsExporter",
    "Held": "LockedConsents",
    "Register": "PolicyRegistration",
    "People": "PersonKeyring",
    "Envelopes": "JweEncrypter",
    "Office": "DeliveryService",
    "Lane": "SendWorker",
    "Bell": "asyncio.Event",
    "Letters": "MailRenderer",
    "News": "Notification",
    "Told": "Draft",
    "Pace": "DutyCycle",
    "Crew": "ProcessGroup",
    "Voice": "ProgressReporter",
    "Guardian": "OrphanReaper",
    "Child": "ManagedProcess",
    "Help[A-Z].*": "Referral…, as on the wire",
}
# Constants, and names that are of our own making: they, too, are looked for wherever a name can be.
_NAMES: Final = {
    "_?AWAY": "TRANSIENT_ERRORS",
    "_distrust": "discard",
    "_heed_cancellation": "raise_if_cancelled",
    "_?as_it_came": "raw_decoder",
    "_?keep_fresh": "deduplicate",
    "_?hand_over": "flush",
    "_?try_all": "evaluate",
    "_?seal_to": "encrypt_to",
    "tolerant": "ignore_unknown_types",
    "at_once": "fast_path",
    "hasty": "async_commit",
    "unprivileged": "drop_privileges",
    "class_keeping": "aot_cache",
    "calm_garbage_collection": "tune_gc",
    "KIT_HELD": "subject_export",
    "NOBODY_IN_PARTICULAR": "ANONYMOUS_STAFF",
    ".*[Ee]ntrance.*": "authentication",
    "is_alone": "try_lock_leader",
    "discretion|veiling|withholding": "suppression",
    "betrayals?": "secondary suppression",
    "hindsight": "what_if",
    "unsaid": "suppressed",
    "lawfully_delayed": "embargo",
    "routing_book": "routing_rules",
    "triage_desk": "triage_queue",
}
_KIT_NAMES: Final = {
    "SAYING": "ENQUEUE_SQL",
    "WAKE": "NOTIFY_SQL",
    "TAKE": "CLAIM_SQL",
    "WITHHOLD": "WITHHOLD_SQL",
}
# Verbs, where our own code defines a function of that name; with the folders that the row of the glossary speaks of.
_FUNCTIONS: Final = {
    "sit": ("open_session", ""),
    "conclude": ("save_decisions", ""),
    "say": ("emit", ""),
    "tell": ("notify_agency, or report for progress", ""),
    "note": ("record", ""),
    "keep": ("upsert, or what it does: store, save", ""),
    "bar": ("deny", ""),
    "hears?": ("apply_update, or consumes", ""),
    "enlist": ("create_referral", ""),
    "widen": ("extend_disclosure", ""),
    "put": ("submit", "services/|shared/"),
    "against": ("denied_by", "shared/policy/"),
    "narrow": ("intersect in policy, bisect in the kit", "shared/"),
    "go": ("run", _KIT),
    "insist": ("retry", _KIT),
    "halted": ("stopped", _KIT),
    "admit": ("record_new", _KIT),
    "patient": ("unavailable_as_503", _KIT),
    "cut_off": ("abort_producer", _KIT),
    "finish": ("shield_with_grace", _KIT),
    "suspect": ("mark_unhealthy", _KIT),
    "announce": ("notify_commit", _KIT),
    "watch": ("commit_event", _KIT),
    "hold": ("lock_consents", "services/|shared/"),
    "held": ("subject_export", "services/|shared/"),
    "reach": ("connect", "services/"),
    "leave": ("close", "services/"),
    "gather": ("merge", _METRICS),
}
# Parameters, variables and fields, in the folders that the row speaks of; elsewhere many of them are plain English.
_DEFINED: Final = {
    "around": ("context", ""),
    "asking": ("query", ""),
    "turn": ("decision", _ROUTING),
    "prompt": ("cause", _ROUTING),
    "desk": ("context", f"{_ROUTING}|{_INTAKE}"),
    "trial": ("evaluation, or what_if", f"{_ROUTING}|shared/policy/"),
    "taken": ("claimed", f"{_KIT}relay/"),
    "said": ("published", f"{_KIT}relay/"),
    "refused": ("rejected", f"{_KIT}relay/"),
    "looks": ("polls", _KIT),
    "rest": ("pacing delay, or min_batch_interval", _KIT),
    "lanes?": ("concurrency", _KIT),
    "faults": ("consecutive_failures", _KIT),
    "halted": ("stopped", _KIT),
    "announced": ("notify_commit", _KIT),
    "helpers": ("workers", f"{_KIT}service/"),
    "kept": ("supervised", f"{_KIT}service/"),
    "bell": ("wake_up", _NOTIFICATIONS),
    "office": ("deliveries", _NOTIFICATIONS),
    "lane": ("worker", _NOTIFICATIONS),
    "letters": ("renderer", _NOTIFICATIONS),
    "news": ("notification", _NOTIFICATIONS),
    "told": ("draft", _NOTIFICATIONS),
    "observation": ("projection", _METRICS),
    "marks": ("dirty markers", _METRICS),
    "bad": ("invalid", _CELLS),
    "waiting": ("open", _CELLS),
    "crew": ("group", _LOCAL),
    "voice": ("progress", _LOCAL),
    "guardian": ("reaper", _LOCAL),
    "child": ("process", _LOCAL),
    "town|world": ("what it is: harness, city, fixtures", "tests/"),
    "hands": ("frozen clock", "tests/"),
    "dice": ("rng", "tests/"),
    "planted": ("canaries", "tests/"),
    "stories": ("event builders", "tests/"),
    "spoken": ("outbox rows", "tests/"),
}
_MODULES: Final = (
    "tray|.*desk|turn|circumstances|trials?|trials_page|court|standing|asking|offers|shelf|rounds|sending|held|.*entrance|"
    "office|bell|letters|news|heard|observation|discretion|veiling|withholding|crew|guardian|child|parts|class_keeping|"
    "unprivileged|.*worlds?|town|hands|dice|planted|lending|sharing_out|stories|spoken"
)

OLD_WORDS: Final = (
    *(OldWord(old, new) for old, new in {**_CLASSES, **_NAMES}.items()),
    *(OldWord(old, new, where=_KIT) for old, new in _KIT_NAMES.items()),
    *(OldWord(f"_?{old}", new, "function", where) for old, (new, where) in _FUNCTIONS.items()),
    *(OldWord(f"_?(?:{old})", new, "defined", where) for old, (new, where) in _DEFINED.items()),
    OldWord("_MEET|_LEARN|_HUSH|_EMPTY", "what the SQL does: UPSERT_CASES, …", where=_NOTIFICATIONS),
    OldWord("Route", "Subscription", "class"),  # Starlette has a Route, which is used under its name
    OldWord("Place", "WorkerProcess", "class", _KIT),  # shared.events has a Place: where something is
    OldWord("Part", "Component", "class", "deploy/"),  # a release has parts, too
    OldWord("Plan", "StackPlan", "class", "deploy/"),
    OldWord(_MODULES, "the concept that it holds", "module"),
)

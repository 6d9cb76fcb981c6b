"""The front door's own errors; those of the rooms pass through it unchanged.

PersonhoodError
├── ServiceUnreachable    the enrolment service did not answer
├── ServiceRefused        the enrolment service answered no
├── KioskNotRegistered    this device has no key that the service knows
├── TlsIncomplete         one of the two files that TLS needs is not given, or cannot be used
├── OwnershipLost         another service may have taken this one's place
├── KeyUnusable           a key in the environment or in a key file is not one
├── DatabaseBehind        the database has an earlier version's schema
├── DatabaseAhead         the database has a later version's schema
├── CalibrationMissing    several models, and no calibration that says how to fuse them
├── MetricsTokenMissing   metrics are asked for, and no token protects them
├── TrialMissing          a trial's file of counts cannot be read
├── ReportUnreadable      a file is no report to compare with
├── FacesUnusable         the directory of photographs has not what was asked for
├── PartiesUnusable       three parties cannot do what the settings ask for
├── ReceiptUnproven       what a receipt says is not what the log says
└── DemoFailed            a step of the demo did not come out as promised
"""

from typing import ClassVar


class PersonhoodError(Exception):
    """Base of all; `code` is stable, the message says what to do."""

    code: ClassVar[str] = "personhood_error"


class ServiceUnreachable(PersonhoodError):
    code = "service_unreachable"


class ServiceRefused(PersonhoodError):
    code = "service_refused"


class KioskNotRegistered(PersonhoodError):
    code = "kiosk_not_registered"


class TlsIncomplete(PersonhoodError):
    code = "tls_incomplete"


class OwnershipLost(PersonhoodError):
    code = "ownership_lost"


class KeyUnusable(PersonhoodError):
    code = "key_unusable"


class DatabaseBehind(PersonhoodError):
    code = "database_behind"


class DatabaseAhead(PersonhoodError):
    code = "database_ahead"


class CalibrationMissing(PersonhoodError):
    code = "calibration_missing"


class MetricsTokenMissing(PersonhoodError):
    code = "metrics_token_missing"


class TrialMissing(PersonhoodError):
    code = "trial_missing"


class ReportUnreadable(PersonhoodError):
    code = "report_unreadable"


class FacesUnusable(PersonhoodError):
    code = "faces_unusable"


class PartiesUnusable(PersonhoodError):
    code = "parties_unusable"


class ReceiptUnproven(PersonhoodError):
    code = "receipt_unproven"


class DemoFailed(PersonhoodError):
    code = "demo_failed"

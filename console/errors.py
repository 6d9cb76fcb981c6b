"""Every way a request to the console can end without its page.

`console.problems` gives each its HTTP status and its page.

    ConsoleError
    ├── SignInRequired            nobody is signed in, or the session is over
    ├── SignInRefused             not this operator's passkey, password or code
    ├── TooManyAttempts           too many sign-ins; wait
    ├── ConfirmationRequired      signed in too long ago for a change of this weight
    ├── RoleRefused               the operator's role does not allow it
    ├── FormForged                the request was not sent by a form of this console
    ├── FormInvalid               a field is missing or cannot be used
    ├── OperatorInvitationInvalid the sign-up code is unknown, used or expired
    ├── PasswordTooWeak           too short, or much too common
    ├── PasskeyRefused            the browser's answer is no valid passkey
    ├── OperatorNameTaken         another operator has this name
    ├── OperatorUnknown           no operator has this name
    ├── ReportFailed              the audit report cannot be made now
    ├── AddressRefused            the console was asked for under another address than its own
    └── ConsoleAddressInvalid     the configured address cannot be used; never on the wire
"""

from typing import ClassVar


class ConsoleError(Exception):
    """Base of all; `code` is stable, the message says what to do."""

    code: ClassVar[str] = "console_error"


class SignInRequired(ConsoleError):
    code = "sign_in_required"


class SignInRefused(ConsoleError):
    code = "sign_in_refused"


class TooManyAttempts(ConsoleError):
    code = "too_many_attempts"


class ConfirmationRequired(ConsoleError):
    code = "confirmation_required"


class RoleRefused(ConsoleError):
    code = "role_refused"


class FormForged(ConsoleError):
    code = "form_forged"


class FormInvalid(ConsoleError):
    code = "form_invalid"


class OperatorInvitationInvalid(ConsoleError):
    code = "operator_invitation_invalid"


class PasswordTooWeak(ConsoleError):
    code = "password_too_weak"


class PasskeyRefused(ConsoleError):
    code = "passkey_refused"


class OperatorNameTaken(ConsoleError):
    code = "operator_name_taken"


class OperatorUnknown(ConsoleError):
    code = "operator_unknown"


class ReportFailed(ConsoleError):
    code = "report_failed"


class AddressRefused(ConsoleError):
    """Carries the address under which the console answers, where it has one."""

    code = "address_refused"

    def __init__(self, message: str, correct: str | None = None) -> None:
        super().__init__(message)
        self.correct = correct


class ConsoleAddressInvalid(ConsoleError):
    code = "console_address_invalid"

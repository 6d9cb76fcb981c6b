from identity_proofs import errors


def walk(error: type[errors.IdentityProofsError]) -> list[type[errors.IdentityProofsError]]:
    return [error, *(leaf for child in error.__subclasses__() for leaf in walk(child))]


def test_every_error_has_its_own_code() -> None:
    codes = [error.code for error in walk(errors.IdentityProofsError)]
    assert len(codes) == len(set(codes))
    assert all(code == code.lower() and code.isascii() for code in codes)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawing = errors.__doc__ or ""
    for error in walk(errors.IdentityProofsError):
        line = next(line for line in drawing.splitlines() if error.__name__ in line.split())
        if not error.__subclasses__():
            assert line.split()[-1] == error.code

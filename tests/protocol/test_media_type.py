"""Only a browser whose bridge names the type gets the document."""

import pytest

from protocol.media_type import ACTIVATION, FILE_EXTENSION, FILE_NAME, accepts_activation


@pytest.mark.parametrize(
    "header",
    [
        ACTIVATION,
        ACTIVATION.upper(),
        f"text/html, {ACTIVATION};q=0.5, */*;q=0.1",
        f" {ACTIVATION} ; q=1 ",
        f"{ACTIVATION};v=1",
    ],
)
def test_named(header: str) -> None:
    assert accepts_activation(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "*/*",
        "application/*",
        "text/html,*/*;q=0.8",
        f"{ACTIVATION};q=0",
        f"{ACTIVATION};q=0.000",
        f"{ACTIVATION};q=nan",
        f"{ACTIVATION};q=x",
        f"{ACTIVATION};q=-1",
        f"x{ACTIVATION}",
        f"{ACTIVATION}+x",
    ],
)
def test_not_named(header: str) -> None:
    assert not accepts_activation(header)


def test_file_name_has_the_extension() -> None:
    assert FILE_NAME.endswith(FILE_EXTENSION)

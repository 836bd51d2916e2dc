"""The one error that the converter reports, and how it prints names that come from a file."""

MAX_QUOTED_CHARACTERS = 120


class ConvertError(Exception):
    """What is wrong and what to do about it. The file's name is put in front by the command line."""

    def __init__(self, cause, remedy):
        super().__init__(f"{cause}; {remedy}")
        self.cause, self.remedy = cause, remedy


def quoted(text):
    """`text` in quotes, on one line: names inside a file may hold line breaks or terminal escapes."""
    text = str(text)
    if len(text) > MAX_QUOTED_CHARACTERS:
        text = text[:MAX_QUOTED_CHARACTERS] + "..."
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) + "'"


def shape_text(shape):
    return "x".join(str(size) for size in shape) if shape else "scalar"

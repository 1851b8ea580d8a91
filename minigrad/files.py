"""Writing a file whole or not at all.

Owns `replace_file` and `write_text`, for whatever minigrad and its tools save. Knows nothing of what is written.
"""

import contextlib
import errno
import io
import os
import secrets
import stat


def replace_file(path, write):
    """Call write(file) on a new file beside `path` and put it in the place of `path` when it is safely on disk."""
    path = os.fsdecode(path)
    if os.path.exists(path) and not os.path.isdir(path) and not os.path.isfile(path):
        # A device or a pipe takes bytes and cannot be replaced.
        buffer = io.BytesIO()
        write(buffer)
        with open(path, "wb") as file:
            file.write(buffer.getvalue())
        return
    path = os.path.realpath(path)  # through a link, to the file that it names
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        raise RuntimeError(f"Parent directory {directory} does not exist. Create it first, with os.makedirs.")
    if os.path.isdir(path):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    mode = None
    if os.path.exists(path):
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        mode = os.stat(path).st_mode
    scratch = os.path.join(directory, f".minigrad-{secrets.token_hex(8)}.tmp")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(scratch, flags, 0o666), "w+b")
    with contextlib.ExitStack() as undo:
        undo.callback(os.unlink, scratch)  # whatever goes wrong
        with file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            os.chmod(scratch, stat.S_IMODE(mode))
        os.replace(scratch, path)
        undo.pop_all()
    if hasattr(os, "O_DIRECTORY"):  # the new name, too, must survive a power cut
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except PermissionError:  # a directory may be open to writing alone, and then cannot be synchronised
            return
        try:
            os.fsync(descriptor)
        except OSError as error:  # some network file systems have no such operation on directories
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(descriptor)


def write_text(path, text):
    """Make `text`, in UTF-8, the whole content of `path`; raises what replace_file raises."""
    replace_file(path, lambda file: file.write(text.encode()))

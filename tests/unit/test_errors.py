"""Errors as they come out of another process."""
import pickle

import pytest

from tcpkit import errors
from tcpkit.errors import CaptureError, FieldError, FilterError, HoleError, MissingLibraryError

EXAMPLES = {
    "CaptureError": CaptureError("a.pcap", "cut short", 24),
    "FieldError": FieldError("tcp.sream", "tcp.stream"),
    "FilterError": FilterError('"tcp.prot" is not a field', "tcp.prot == 80", 0, 8),
    "HoleError": HoleError(3, "client", 100, 20, "lost"),
    "MissingLibraryError": MissingLibraryError("this needs pandas"),
}


@pytest.mark.parametrize("name", errors.__all__)
def test_an_error_passes_between_processes(name):
    error = EXAMPLES[name]
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)

"""What a fuzzer can not make up: without this most requests would end at a cursor that is none, an instant too early, or an unknown id."""

import json
import os
import zlib

import schemathesis

GIVEN = json.loads(os.environ["GIVEN_IDS"])
OPAQUE = ("cursor", "at", "from", "to")


@schemathesis.hook
def before_call(_context, case, _kwargs):
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    # By what the case holds, so that a seed repeats a run.
    choice = zlib.crc32(repr((case.path_parameters, case.query)).encode("utf-8", "surrogatepass"))
    if case.query and choice % 8:
        for name in OPAQUE:
            case.query.pop(name, None)
    for name, given in GIVEN.items():
        # What is deleted is gone for all that come after.
        if name in (case.path_parameters or {}) and choice % 3 and case.method != "DELETE":
            case.path_parameters[name] = given

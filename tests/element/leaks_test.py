"""GStreamer's leak tracer finds no object alive after the element's tests."""
import os
import re
import subprocess
import sys

FILTER = "-States*:*Formats*:*Look*"  # long, and nothing of GStreamer that the others have not


def main():
    environment = os.environ | {"GST_TRACERS": "leaks", "GST_DEBUG": "GST_TRACER:7", "GST_DEBUG_NO_COLOR": "1"}
    result = subprocess.run([sys.argv[1], f"--gtest_filter={FILTER}"], env=environment, capture_output=True, text=True,
                            errors="replace", check=False)
    if result.returncode != 0:
        sys.exit(result.stdout)
    if "object-alive" not in result.stderr:
        sys.exit("the leak tracer did not run")
    alive = re.findall(r"object-alive, type-name=\(string\)(?!%s).*", result.stderr)
    if alive:
        sys.exit("\n".join(alive))


main()

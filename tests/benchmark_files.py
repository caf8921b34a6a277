"""Files that Google's benchmark tools write: field by field, or by LiteRT's own classes."""

import functools
import struct
import subprocess
import sys


def varint(value):
    value %= 1 << 64
    encoded = b""
    while value > 0x7F:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def whole(number, value):
    return varint(number << 3) + varint(value)


def real(number, value):
    return varint(number << 3 | 5) + struct.pack("<f", value)


def block(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def result_file(*, avg=12.5, count=50, more=b""):
    latency = [avg, 11.875, 13.0, 0.125, 12.0, 11.9375, 12.875, 12.25, 28.125, 15.5]
    return (
        block(1, b"a name")
        + block(2, b"".join(real(n, value) for n, value in enumerate(latency, 1)))
        + block(3, whole(1, 4608) + whole(2, -1) + real(3, 12.5))
        + block(4, real(1, 3.25) + whole(2, count) + whole(3, 32) + real(5, 80.0))
        + more
    )


@functools.cache
def written_by_google():
    """The profile of documented-profile_tabs.txt, made with LiteRT's own message classes.

    In a process of their own: TensorFlow has classes of the same names, and refuses to be beside
    them.
    """
    done = subprocess.run([sys.executable, __file__], capture_output=True, timeout=60, check=True)
    return done.stdout


def write_by_google():
    from ai_edge_litert import profiling_info_pb2

    data = profiling_info_pb2.BenchmarkProfilingData()
    rows = {
        "initialization": [("AllocateTensors", "AllocateTensors/0", 1356, 1356)],
        "regular": [
            ("CONV_2D", "[conv/Relu6;conv/Conv2D]:0", 538, 382),
            ("RESIZE_NEAREST_NEIGHBOR", "[up 2]:1", 85, 42),
        ],
        "delegate": [
            (
                "Fully Connected (NC, QS8, QC8W) GEMM",
                "Delegate/Fully Connected (NC, QS8, QC8W) GEMM:1",
                538,
                380,
            )
        ],
    }
    places = {
        "initialization": data.init_profile.subgraph_profiles.add(),
        "regular": data.runtime_profile.subgraph_profiles.add(),
        "delegate": data.runtime_profile.delegate_profiles.add(),
    }
    for phase, place in places.items():
        for node_type, name, first, mean in rows[phase]:
            row = place.per_op_profiles.add()
            row.node_type, row.name, row.times_called = node_type, name, 1
            row.inference_microseconds.first, row.inference_microseconds.avg = first, mean
    return data.SerializeToString()


if __name__ == "__main__":
    sys.stdout.buffer.write(write_by_google())

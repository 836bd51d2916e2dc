"""Google Benchmark's JSON as a Markdown table: least time of the repetitions beside the budget.

Exits with 1 where a benchmark's result was wrong.
"""

import json
import sys

# Milliseconds per frame, by the start of a benchmark's name.
BUDGETS = {
    "preprocess/nv12_1080p": 1.0,
    "preprocess/i420_1080p": 1.0,
    "preprocess/bgr_1080p": 1.0,
    "trunk/efficientnet_lite0_float32_2_threads/": 9.3,
    "trunk/efficientnet_lite0_bfloat16_2_threads/": 3.8,
    "trunk/resnet18_float32_2_threads/": 13.3,
    "trunk/resnet18_bfloat16_2_threads/": 8.0,
    "mahalanobis/width:56/height:56/d:100/radius:0/threads:2": 0.8,
    "mahalanobis/width:16/height:16/d:256/radius:0/threads:2": 0.5,
    "mahalanobis/width:16/height:16/d:256/radius:1/threads:2": 1.0,
    "scene/": 0.2,
    "score_map/": 0.3,
    "overlay/nv12_heat/5": 0.7,
    "overlay/nv12_default/5": 0.7,
    "statistics_update/threads:2": 0.5,
}


def least_times(runs):
    """Name -> (least milliseconds per frame, error message)."""
    times = {}
    for run in runs:
        if run.get("run_type") == "aggregate":
            continue
        name = run["run_name"].removesuffix("/real_time")
        if run.get("error_occurred"):
            times[name] = (None, run["error_message"])
        else:
            time = run.get("ms_per_frame") or run["real_time"]
            times[name] = (min(time, times.get(name, (time, ""))[0]), "")
    return times


def budget_of(name):
    return next((budget for start, budget in BUDGETS.items() if f"{name}/".startswith(start)), None)


def row(name, time, error):
    if time is None:
        return f"| {name} | {error} | |"
    budget = budget_of(name)
    verdict = "" if budget is None else f"{budget:g}" if time <= budget else f"{budget:g}, missed"
    return f"| {name} | {time:.3f} | {verdict} |"


def main():
    times = least_times(json.load(sys.stdin)["benchmarks"])
    print("| stage | ms per frame | budget |\n|---|---|---|")
    for name, (time, error) in times.items():
        print(row(name, time, error))
    return 1 if any(error and not error.startswith("skipped") for _, error in times.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

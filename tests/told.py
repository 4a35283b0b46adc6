"""What `test_telling.a_pool` is told as, by the width of the terminal."""
# ruff: noqa: E501

from __future__ import annotations

from typing import Final

TOLD: Final = {
    60: """\
watched   for 200 ms: 200 looks, longest gap 1.00 ms; switch
          interval 5 ms
GIL       held 100 % of the time, while another thread
          waited 100 %
hand-offs 39 by the interpreter's count (39 seen), 195 per s
holds     median 5.00 ms; others waited longest, 5.00 ms,
          while ThreadPoolExecutor-0_0 held it
waits     42 for the GIL: median 15.0 ms, longest 15.0 ms by
          ThreadPoolExecutor-0_3

thread             holds   median  longest
ThreadP…tor-0_0        9  5.00 ms  5.00 ms
ThreadP…tor-0_1       10  5.00 ms  5.00 ms
ThreadP…tor-0_2       10  5.00 ms  5.00 ms
ThreadP…tor-0_3        9  5.00 ms  5.00 ms

thread             waits   median  longest
ThreadP…tor-0_0       10  15.0 ms  15.0 ms
ThreadP…tor-0_1       11  15.0 ms  15.0 ms
ThreadP…tor-0_2       11  15.0 ms  15.0 ms
ThreadP…tor-0_3       10  15.0 ms  15.0 ms

thread             held   ran  waits: GIL  CPU  sleeps
MainThread          0 %   0 %         0 %  0 %   100 %
ThreadP…tor-0_0    25 %  25 %        75 %  0 %     0 %
ThreadP…tor-0_1    25 %  25 %        75 %  0 %     0 %
ThreadP…tor-0_2    25 %  25 %        75 %  0 %     0 %
ThreadP…tor-0_3    25 %  25 %        75 %  0 %     0 %
ForkPoo…orker-2          95 %

All of it: what each thread did most of the time
MainThread       ···········································
ThreadP…tor-0_0  █───█────█───█───█────█───█───█───█────█───
ThreadP…tor-0_1  ─█───█────█───█───█────█───█───█───██───█──
ThreadP…tor-0_2  ──█───██───█───█───█────█───█───█────█───█─
ThreadP…tor-0_3  ───█────█───█───█───██───█───█───█────█───█
ForkPoo…orker-2  ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓

53.8 ms from 73.1 ms on, where most waited for the GIL;
1.25 ms a column
MainThread       ···········································
ThreadP…tor-0_0  ──────████────────────████────────────████─
ThreadP…tor-0_1  ──────────████────────────████────────────█
ThreadP…tor-0_2  ██────────────████────────────████─────────
ThreadP…tor-0_3  ──████────────────████────────────████─────
ForkPoo…orker-2  ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
█ holds the GIL   ▓ runs   ─ waits for the GIL   · sleeps
idle: native thread 20, ForkPoolWorker-1
""",
    80: """\
watched   for 200 ms: 200 looks, longest gap 1.00 ms; switch interval 5 ms
GIL       held 100 % of the time, while another thread waited 100 %
hand-offs 39 by the interpreter's count (39 seen), 195 per s
holds     median 5.00 ms; others waited longest, 5.00 ms, while
          ThreadPoolExecutor-0_0 held it
waits     42 for the GIL: median 15.0 ms, longest 15.0 ms by
          ThreadPoolExecutor-0_3

thread                  holds   median  longest    waits   median  longest
ThreadPool…cutor-0_0        9  5.00 ms  5.00 ms       10  15.0 ms  15.0 ms
ThreadPool…cutor-0_1       10  5.00 ms  5.00 ms       11  15.0 ms  15.0 ms
ThreadPool…cutor-0_2       10  5.00 ms  5.00 ms       11  15.0 ms  15.0 ms
ThreadPool…cutor-0_3        9  5.00 ms  5.00 ms       10  15.0 ms  15.0 ms

thread                  held   ran  waits: GIL  CPU  sleeps
MainThread               0 %   0 %         0 %  0 %   100 %
ThreadPool…cutor-0_0    25 %  25 %        75 %  0 %     0 %
ThreadPool…cutor-0_1    25 %  25 %        75 %  0 %     0 %
ThreadPool…cutor-0_2    25 %  25 %        75 %  0 %     0 %
ThreadPool…cutor-0_3    25 %  25 %        75 %  0 %     0 %
ForkPoolWorker-2              95 %

All of it: what each thread did most of the time
MainThread            ··························································
ThreadPool…cutor-0_0  █─────█─────█────██────██────█─────█─────█────██────██────
ThreadPool…cutor-0_1  ─██────██────██────█─────█────██────██────██────█─────█───
ThreadPool…cutor-0_2  ───█─────█────██────██────██────█─────█────██────██────██─
ThreadPool…cutor-0_3  ────██────██────█─────█─────█────██────██────█─────█─────█
ForkPoolWorker-2      ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓

72.5 ms from 63.8 ms on, where most waited for the GIL; 1.25 ms a column
MainThread            ··························································
ThreadPool…cutor-0_0  █────────────████────────────████────────────████─────────
ThreadPool…cutor-0_1  ─████────────────████────────────████────────────████─────
ThreadPool…cutor-0_2  ─────████────────────████────────────████────────────████─
ThreadPool…cutor-0_3  ─────────████────────────████────────────████────────────█
ForkPoolWorker-2      ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
█ holds the GIL   ▓ runs   ─ waits for the GIL   · sleeps
idle: native thread 20, ForkPoolWorker-1
""",
    200: """\
watched   for 200 ms: 200 looks, longest gap 1.00 ms; switch interval 5 ms
GIL       held 100 % of the time, while another thread waited 100 %
hand-offs 39 by the interpreter's count (39 seen), 195 per s
holds     median 5.00 ms; others waited longest, 5.00 ms, while ThreadPoolExecutor-0_0 held it
waits     42 for the GIL: median 15.0 ms, longest 15.0 ms by ThreadPoolExecutor-0_3

thread                    holds   median  longest    waits   median  longest    held   ran  waits: GIL  CPU  sleeps
MainThread                                                                       0 %   0 %         0 %  0 %   100 %
ThreadPoolExecutor-0_0        9  5.00 ms  5.00 ms       10  15.0 ms  15.0 ms    25 %  25 %        75 %  0 %     0 %
ThreadPoolExecutor-0_1       10  5.00 ms  5.00 ms       11  15.0 ms  15.0 ms    25 %  25 %        75 %  0 %     0 %
ThreadPoolExecutor-0_2       10  5.00 ms  5.00 ms       11  15.0 ms  15.0 ms    25 %  25 %        75 %  0 %     0 %
ThreadPoolExecutor-0_3        9  5.00 ms  5.00 ms       10  15.0 ms  15.0 ms    25 %  25 %        75 %  0 %     0 %
ForkPoolWorker-2                                                                      95 %

All of it, 200 ms: 1.14 ms a column
MainThread              ················································································································································································
ThreadPoolExecutor-0_0  ████──────────────████─────────────█████─────────────████─────────────█████─────────────████──────────────████─────────────█████─────────────████─────────────█████─────────────
ThreadPoolExecutor-0_1  ────█████─────────────████──────────────████─────────────█████─────────────████─────────────█████─────────────████──────────────████─────────────█████─────────────████─────────
ThreadPoolExecutor-0_2  ─────────████─────────────█████─────────────████──────────────████─────────────█████─────────────████─────────────█████─────────────████──────────────████─────────────█████────
ThreadPoolExecutor-0_3  ─────────────█████─────────────████─────────────█████─────────────████──────────────████─────────────█████─────────────████─────────────█████─────────────████──────────────████
ForkPoolWorker-2        ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓
█ holds the GIL   ▓ runs   ─ waits for the GIL   · sleeps
idle: native thread 20, ForkPoolWorker-1
""",
}  # fmt: skip

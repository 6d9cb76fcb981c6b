"""Error rates with their intervals, and alarms, from counts: nothing here reads a database.

Each module is one idea over plain values: `rates` (a share and its exact interval), `error_rates`
(FPIR, FNIR, FTE, FTA, APCER, BPCER), `nearest` (the tail of nearest-impostor scores), `drift`,
`alarms` (bursts), `activity` (outcomes by time and kiosk), `queues`, `release` (what may leave).
"""

"""What operators watch: metrics for Prometheus, health, and one line of log a request.

`metrics` is the only file that speaks to prometheus_client; `service` says what the enrolment
service has to tell, `chain` what the chain has, `health` whether it can be relied upon.
"""

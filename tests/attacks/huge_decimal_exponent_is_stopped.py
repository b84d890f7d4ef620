#: promise = "Turning a decimal with a huge exponent into an integer costs no more than its limits"
#: wall_clock_ms = 1000
#: outcome = ["completed", "time_limit", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import decimal

try:
    int(decimal.Decimal("1e999999"))
    int(decimal.Decimal(10) ** 999999)
    int(decimal.Decimal("1e999999999"))
except (MemoryError, OverflowError, ValueError, decimal.DecimalException):
    pass
print("ok")

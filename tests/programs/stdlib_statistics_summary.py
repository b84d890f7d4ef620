import statistics as st
from fractions import Fraction
from decimal import Decimal

heights = [150.0, 152.5, 161.2, 163.0, 163.0, 170.4, 171.1, 182.9, 190.0]
print("mean", round(st.mean(heights), 9), "fmean", round(st.fmean(heights), 9))
print("median", st.median(heights), st.median_low([1, 2, 3, 4]), st.median_high([1, 2, 3, 4]))
print("mode", st.mode(heights), st.multimode("aabbcd"))
print("stdev %.9f pstdev %.9f" % (st.stdev(heights), st.pstdev(heights)))
print("variance", st.variance([Fraction(1, 2), Fraction(3, 4), Fraction(5, 6)]))
print("decimal mean", st.mean([Decimal("0.5"), Decimal("0.75"), Decimal("0.625")]))
print("quartiles", [round(q, 6) for q in st.quantiles(heights, n=4)])
print("deciles", [round(q, 6) for q in st.quantiles(heights, n=10, method="inclusive")])
print("geometric %.9f harmonic %.9f" % (st.geometric_mean([54, 24, 36]), st.harmonic_mean([40, 60])))
print("weighted", st.fmean([85, 92, 83], [0.2, 0.5, 0.3]).__round__(6))

xs = [1, 2, 3, 4, 5, 6]
ys = [2.1, 3.9, 6.2, 8.0, 9.8, 12.3]
slope, intercept = st.linear_regression(xs, ys)
print(f"y = {slope:.6f}x + {intercept:.6f}, r = {st.correlation(xs, ys):.6f}, cov = {st.covariance(xs, ys):.6f}")
print("spearman %.4f" % st.correlation(xs, [1, 3, 2, 6, 5, 4], method="ranked"))

n = st.NormalDist(100, 15)
print(f"{n.cdf(130):.6f} {n.inv_cdf(0.9):.6f} {n.pdf(100):.6f} {n.overlap(st.NormalDist(110, 15)):.6f}")
print(n + st.NormalDist(5, 8), n * 2, n.zscore(85))
for call in (lambda: st.mean([]), lambda: st.stdev([1])):
    try:
        call()
    except st.StatisticsError as e:
        print("StatisticsError:", e)

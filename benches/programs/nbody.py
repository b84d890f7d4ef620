"""N-body: symplectic integration of the Sun and the four gas giants."""

from itertools import combinations

PI = 3.141592653589793
SOLAR_MASS = 4.0 * PI * PI
DAYS = 365.24
STEPS = 80000

# name: position (AU), velocity (AU/day), mass (solar masses)
PLANETS = {
    "sun": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0),
    "jupiter": (
        (4.84143144246472090, -1.16032004402742839, -0.103622044471123109),
        (0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023),
        0.000954791938424326609,
    ),
    "saturn": (
        (8.34336671824457987, 4.12479856412430479, -0.403523417114321381),
        (-0.00276742510726411021, 0.00499852801234917238, 0.0000230417297573763929),
        0.000285885980666130812,
    ),
    "uranus": (
        (12.8943695621391310, -15.1111514016986312, -0.223307578892655734),
        (0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556),
        0.0000436624404335156298,
    ),
    "neptune": (
        (15.3796971148509165, -25.9193146099879641, 0.179258772950371181),
        (0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870),
        0.0000515138902046611451,
    ),
}


def make_system():
    bodies = []
    for pos, vel, mass in PLANETS.values():
        bodies.append((list(pos), [v * DAYS for v in vel], mass * SOLAR_MASS))
    # Give the sun the momentum that keeps the centre of mass at rest.
    momentum = [0.0, 0.0, 0.0]
    for _, vel, mass in bodies:
        for axis in range(3):
            momentum[axis] += vel[axis] * mass
    sun_vel, sun_mass = bodies[0][1], bodies[0][2]
    for axis in range(3):
        sun_vel[axis] = -momentum[axis] / sun_mass
    return bodies


def energy(bodies):
    total = 0.0
    for _, (vx, vy, vz), mass in bodies:
        total += 0.5 * mass * (vx * vx + vy * vy + vz * vz)
    for (p, _, m), (q, _, n) in combinations(bodies, 2):
        dx, dy, dz = p[0] - q[0], p[1] - q[1], p[2] - q[2]
        total -= m * n / (dx * dx + dy * dy + dz * dz) ** 0.5
    return total


def advance(bodies, pairs, dt, steps):
    for _ in range(steps):
        for ((x1, y1, z1), v1, m1), ((x2, y2, z2), v2, m2) in pairs:
            dx = x1 - x2
            dy = y1 - y2
            dz = z1 - z2
            mag = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
            a = m2 * mag
            b = m1 * mag
            v1[0] -= dx * a
            v1[1] -= dy * a
            v1[2] -= dz * a
            v2[0] += dx * b
            v2[1] += dy * b
            v2[2] += dz * b
        for pos, (vx, vy, vz), _ in bodies:
            pos[0] += dt * vx
            pos[1] += dt * vy
            pos[2] += dt * vz


def bench() -> object:
    bodies = make_system()
    pairs = list(combinations(bodies, 2))
    before = energy(bodies)
    advance(bodies, pairs, 0.01, STEPS)
    return round(before, 9), round(energy(bodies), 9)


if __name__ == "__main__":
    print(bench())

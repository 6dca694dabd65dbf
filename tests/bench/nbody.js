class Body {
  constructor(x, y, z, vx, vy, vz, mass) {
    Object.assign(this, { x, y, z, vx, vy, vz, mass });
  }
}
function advance(bodies, dt, steps) {
  const count = bodies.length;
  for (let step = 0; step < steps; step++) {
    for (let i = 0; i < count; i++) {
      const a = bodies[i];
      for (let j = i + 1; j < count; j++) {
        const b = bodies[j];
        const dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
        const d2 = dx * dx + dy * dy + dz * dz;
        const mag = dt / (d2 * Math.sqrt(d2));
        a.vx -= dx * b.mass * mag;
        a.vy -= dy * b.mass * mag;
        a.vz -= dz * b.mass * mag;
        b.vx += dx * a.mass * mag;
        b.vy += dy * a.mass * mag;
        b.vz += dz * a.mass * mag;
      }
    }
    for (const a of bodies) {
      a.x += dt * a.vx;
      a.y += dt * a.vy;
      a.z += dt * a.vz;
    }
  }
}
function energy(bodies) {
  let e = 0.0;
  for (let i = 0; i < bodies.length; i++) {
    const a = bodies[i];
    e += 0.5 * a.mass * (a.vx ** 2 + a.vy ** 2 + a.vz ** 2);
    for (let j = i + 1; j < bodies.length; j++) {
      const b = bodies[j];
      e -= a.mass * b.mass / Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2);
    }
  }
  return e;
}
const bodies = [
  new Body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.5),
  new Body(4.8, -1.2, -0.1, 0.6, 2.8, -0.02, 0.038),
  new Body(8.3, 4.1, -0.4, -1.0, 1.8, 0.008, 0.011),
  new Body(12.9, -15.1, -0.2, 1.1, 0.9, -0.01, 0.0017),
  new Body(15.4, -25.9, 0.2, 1.0, 0.6, -0.03, 0.002),
];
console.log(energy(bodies).toFixed(9));
advance(bodies, 0.001, 44000);
console.log(energy(bodies).toFixed(9));

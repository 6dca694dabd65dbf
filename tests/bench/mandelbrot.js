function mandelbrot(size, limit) {
  let inside = 0;
  for (let row = 0; row < size; row++) {
    const ci = 2.0 * row / size - 1.0;
    for (let column = 0; column < size; column++) {
      const cr = 2.0 * column / size - 1.5;
      let zr = 0.0, zi = 0.0, n = 0;
      while (n < limit) {
        const rr = zr * zr, ii = zi * zi;
        if (rr + ii > 4.0) break;
        zi = 2.0 * zr * zi + ci;
        zr = rr - ii + cr;
        n += 1;
      }
      if (n === limit) inside += 1;
    }
  }
  return inside;
}
console.log(mandelbrot(260, 60));

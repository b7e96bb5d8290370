/**
 * Solves rows · x = values for x by least squares (normal equations, Gaussian elimination with partial pivoting): what one
 * unit of each thing costs, from pieces of work that are made of different numbers of them.
 * @throws Error when the rows do not tell all unknowns apart
 */
export function solve(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const size = rows[0]?.length ?? 0;
  const sum = (of: (row: readonly number[], index: number) => number) =>
    rows.reduce((total, row, index) => total + of(row, index), 0);
  const matrix = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_, j) => sum(row => row[i]! * row[j]!)),
    sum((row, index) => row[i]! * values[index]!),
  ]);
  for (let column = 0; column < size; column += 1) {
    const below = matrix.slice(column).map(row => Math.abs(row[column]!));
    const pivot = column + below.indexOf(Math.max(...below));
    if (!(Math.abs(matrix[pivot]![column]!) > 1e-9)) throw new Error(`unknown ${column} is not told apart`);
    [matrix[column], matrix[pivot]] = [matrix[pivot]!, matrix[column]!];
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue;
      const factor = matrix[row]![column]! / matrix[column]![column]!;
      matrix[row] = matrix[row]!.map((value, index) => value - factor * matrix[column]![index]!);
    }
  }
  return matrix.map((row, index) => row[size]! / row[index]!);
}

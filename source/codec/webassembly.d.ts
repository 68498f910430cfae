/** The part of the WebAssembly interface that the kernels use; neither ES2023 nor @types/node 20 declares it. */
declare namespace WebAssembly {
	class Module {
		/** Compiles synchronously. */
		constructor(bytes: Uint8Array);
		/** Keeps the type apart from other empty classes. */
		private readonly module: true;
	}
	class Instance {
		constructor(
			module: Module,
			imports?: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
		);
		readonly exports: Readonly<Record<string, unknown>>;
	}
	class Memory {
		private constructor();
		/** A new object after each growth; the old one is then detached. */
		readonly buffer: ArrayBuffer;
		/** @returns the size before, in pages of 64 KiB */
		grow(pages: number): number;
	}
}

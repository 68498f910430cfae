/** The folder and the last name of a backslash path inside an image. */
export function imageFolderOf(path: string): { readonly folder: string; readonly name: string } {
	const at = path.lastIndexOf('\\');
	return { folder: at <= 0 ? '\\' : path.slice(0, at), name: path.slice(at + 1) };
}

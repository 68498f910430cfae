/** What becomes of the names whose contents are not whole, in a WIM that must be valid all the same. */

/**
 * `mark`: what can be read stands under the name with `.partial` behind it, zeros for what is lost, and where nothing can
 * be read a note stands under the name with `.lost` behind it. `omit`: such files are left out.
 */
export type LostPolicy = 'mark' | 'omit';

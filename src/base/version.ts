/** The version of this package; a test compares it with the manifest, which a bundle has not. */
export const version = '0.1.0'

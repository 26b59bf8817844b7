/** A length of time, or a moment on a monotonic clock whose zero means nothing. */
export type Milliseconds = number

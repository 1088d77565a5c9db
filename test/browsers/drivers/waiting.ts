/** Asks again until the answer is yes. A document that is being left or made has none. */
export async function until(asked: () => Promise<unknown>, milliseconds: number, what: string): Promise<void> {
  const end = performance.now() + milliseconds
  let last: unknown
  while (performance.now() < end) {
    try {
      last = await asked()
      if (last === true) return
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`It did not come true in ${milliseconds / 1_000} seconds: ${what}`, { cause: last })
}

/** What the test says to its page. */
export function readConfig<T>(): T {
  return JSON.parse(document.querySelector('meta[name=config]')?.getAttribute('content') ?? '{}') as T
}

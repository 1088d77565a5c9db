import { StrictMode, createElement, useEffect, useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import { app } from './app.js'

// A page of React in development, where StrictMode mounts everything twice and runs every effect twice.

/** What a test sees of it. */
export interface Rendering {
  /** How often the effect ran that resumes. */
  effects: number
  /** What was rendered to the end, one after the other. */
  readonly committed: string[]
}

const { session } = app
const rendering: Rendering = { effects: 0, committed: [] }

function Page() {
  const { status, idTokenClaims, ended } = useSyncExternalStore(session.subscribe, session.snapshot)
  const text = [status, idTokenClaims?.sub ?? ended].join(' ').trim()
  useEffect(() => {
    rendering.effects += 1
    session.resume().catch((error: unknown) => rendering.committed.push(String(error)))
  }, [])
  useEffect(() => {
    if (rendering.committed.at(-1) !== text) rendering.committed.push(text)
  })
  return createElement('output', null, text)
}

const place = document.body.appendChild(document.createElement('main'))
createRoot(place).render(createElement(StrictMode, null, createElement(Page)))
Object.assign(globalThis, { rendering })

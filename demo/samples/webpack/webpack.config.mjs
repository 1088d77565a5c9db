const folder = import.meta.dirname

// What is loaded by `import()` becomes files of its own beside main.js, and is found there.
export default { mode: 'production', context: folder, entry: './main.js', output: { path: `${folder}/dist`, clean: true } }

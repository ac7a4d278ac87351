// Prints what chokidar tells of the directories given, one change a line.
const { watch } = require('chokidar')
watch(process.argv.slice(2), { ignoreInitial: true }).on('all', (event, path) => console.log(event, path))

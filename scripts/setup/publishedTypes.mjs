// Removes of the published types what no entry of the package leads to: it would only make it larger.
//   node scripts/setup/publishedTypes.mjs FOLDER
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'

const root = resolve(import.meta.dirname, '../..')
const folder = resolve(process.argv[2])
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The entries, whose paths begin with lib/types. */
function entriesIn(value) {
  if (typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'types' ? [join(folder, relative('lib/types', inner))] : entriesIn(inner),
  )
}

const entries = entriesIn(exports)
// The types of JavaScript itself and of other packages lead to none of ours.
const options = { noLib: true, types: [], module: ts.ModuleKind.NodeNext }
const program = ts.createProgram(entries, options)
const checker = program.getTypeChecker()

/** Statements that are kept, and names in import statements that are. */
const kept = new Set()
const waiting = []

const isLink = (node) => ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
const moduleOf = (link) => link.moduleSpecifier && checker.getSymbolAtLocation(link.moduleSpecifier)

/** What a name stands for where it is declared. */
const meaningOf = (symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol

/** The statement of its file that a declaration is in. */
function statementOf(declaration) {
  let node = declaration
  while (node.parent && !ts.isSourceFile(node.parent)) node = node.parent
  return node
}

function keep(statement) {
  if (kept.has(statement)) return
  kept.add(statement)
  waiting.push(statement)
}

/** Keeps what declares a name; of a module, as `import * as name` has it, all that it exports. */
function keepDeclarations(symbol) {
  for (const declaration of symbol.declarations ?? []) {
    if (ts.isSourceFile(declaration)) checker.getExportsOfModule(symbol).forEach(keepName)
    const statement = statementOf(declaration)
    if (isLink(statement)) kept.add(declaration)
    else keep(statement)
  }
}

function keepName(symbol) {
  keepDeclarations(symbol)
  keepDeclarations(meaningOf(symbol))
}

function keepNamesIn(node) {
  const symbol = ts.isIdentifier(node) && checker.getSymbolAtLocation(node)
  if (symbol) keepName(symbol)
  ts.forEachChild(node, keepNamesIn)
}

/** A module that an entry imports without a name adds to what others declare: it is kept whole. */
function keepAdditions(file) {
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || statement.importClause) continue
    const { statements } = moduleOf(statement).valueDeclaration
    statements.filter((part) => !isLink(part)).forEach(keep)
  }
}

/** Whether a name that is handed on stands for something kept. */
function isOfKept(element) {
  if (!ts.isExportSpecifier(element)) return false
  const { declarations = [] } = meaningOf(checker.getSymbolAtLocation(element.name))
  return declarations.some((declaration) => kept.has(statementOf(declaration)))
}

/** Whether a module is another package's, or one of ours of which something is kept. */
const isLeft = (module) => module === undefined || textOf(module.valueDeclaration) !== ''

/** An import or export statement with the names in it that are kept. */
function linkText(statement) {
  const { importClause } = statement
  const names = importClause ? importClause.namedBindings : statement.exportClause
  const text = statement.getFullText()
  if (!names?.elements) {
    const isUsed = importClause
      ? kept.has(importClause) || kept.has(names)
      : isLeft(moduleOf(statement))
    return isUsed ? text : ''
  }
  const elements = names.elements.filter((element) => kept.has(element) || isOfKept(element))
  if (elements.length === 0 && !kept.has(importClause)) return ''
  const list = `{ ${elements.map((element) => element.getText()).join(', ')} }`
  const begin = names.getStart() - statement.getFullStart()
  return text.slice(0, begin) + list + text.slice(begin + names.getWidth())
}

/** What is kept of a file. */
function textOf(file) {
  return file.statements
    .map((statement) => {
      if (isLink(statement)) return linkText(statement)
      return kept.has(statement) ? statement.getFullText() : ''
    })
    .join('')
    .trim()
}

for (const entry of entries) {
  const file = program.getSourceFile(entry)
  checker.getExportsOfModule(checker.getSymbolAtLocation(file)).forEach(keepName)
  keepAdditions(file)
}
while (waiting.length > 0) keepNamesIn(waiting.pop())

const texts = new Map(
  readdirSync(folder, { recursive: true })
    .filter((file) => file.endsWith('.d.ts'))
    .map((file) => {
      const source = program.getSourceFile(join(folder, file))
      return [join(folder, file), source ? textOf(source) : '']
    }),
)
for (const [path, text] of texts) {
  if (text === '') rmSync(path)
  else writeFileSync(path, `${text}\n`)
}

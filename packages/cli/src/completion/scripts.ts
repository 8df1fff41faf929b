// Each script asks the program itself what can stand where the cursor is: the word there behind `=`, so that an empty one is not lost on
// the way, then the words before it. An answer is a line of the value, a tab and what it means; or `:files` or `:directories`.

const BASH = `# bash completion for hsu-master. Load it with: source <(hsu-master completion bash)
_hsu_master() {
    local words=() word last piece cur prefix line value i
    # Bash takes = and : for the ends of words: what it took apart is put together again.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=\${COMP_WORDS[i]}
        last=$((\${#words[@]} - 1))
        if ((last >= 0)) && { [[ $word == [=:]* ]] || [[ \${words[last]} == --*[=:] ]]; }; then
            words[last]+=$word
        else
            words+=("$word")
        fi
    done
    last=$((\${#words[@]} - 1))
    cur=\${words[last]}
    unset "words[last]"
    piece=\${COMP_WORDS[COMP_CWORD]}
    [[ $piece == [=:] ]] && piece=
    prefix=\${cur%"$piece"}
    COMPREPLY=()
    while IFS= read -r line; do
        value=\${line%%$'\\t'*}
        case $value in
            :files | :directories)
                compopt -o filenames 2>/dev/null
                local action=-f
                [[ $value == :directories ]] && action=-d
                while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen "$action" -- "$piece")
                ;;
            *) COMPREPLY+=("\${value#"$prefix"}") ;;
        esac
    done < <("\${1/#\\~/$HOME}" __complete "=$cur" -- "\${words[@]}" 2>/dev/null)
}
complete -F _hsu_master hsu-master hsu
`;

const ZSH = `#compdef hsu-master hsu
# zsh completion for hsu-master. Load it with: source <(hsu-master completion zsh)
_hsu_master() {
    local -a values shown
    local line value means
    for line in "\${(@f)$(\${(Q)words[1]/#\\~/$HOME} __complete "=\${(Q)words[CURRENT]}" -- "\${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}"; do
        case $line in
            '') ;;
            :files) compset -P '*='; _files; return ;;
            :directories) compset -P '*='; _files -/; return ;;
            *)
                value=\${line%%$'\\t'*} means=\${line#*$'\\t'}
                values+=("$value")
                shown+=("$value\${means:+  -- $means}")
                ;;
        esac
    done
    compadd -l -d shown -a values
}
if [[ "\${funcstack[1]}" == _hsu_master ]]; then
    _hsu_master "$@"
else
    compdef _hsu_master hsu-master hsu
fi
`;

const FISH = `# fish completion for hsu-master. Load it with: hsu-master completion fish | source
function __hsu_master_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] __complete "=$current" -- $words[2..-1] 2>/dev/null)
        switch $line
            case :files :directories
                set -l prefix (string match -r -- '^--[a-z-]+=' $current)
                set -l path (string replace -r -- '^--[a-z-]+=' '' $current)
                set -l find __fish_complete_path
                test $line = :directories; and set find __fish_complete_directories
                for found in ($find "$path")
                    echo $prefix$found
                end
            case '*'
                echo $line
        end
    end
end
complete -c hsu-master -f -a '(__hsu_master_complete)'
complete -c hsu -f -a '(__hsu_master_complete)'
`;

const POWERSHELL = `# PowerShell completion for hsu-master. Load it with: hsu-master completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName hsu-master, hsu -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $program = $before[0]
    $words = @($before | Select-Object -Skip 1)
    & $program __complete "=$wordToComplete" -- @words 2>$null | ForEach-Object {
        $value, $means = $_ -split "\`t", 2
        if (-not $means) { $means = $value }
        if ($value -eq ':files' -or $value -eq ':directories') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        } else {
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $means)
        }
    }
}
`;

/** The script for each shell. */
export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = {
  bash: BASH,
  zsh: ZSH,
  fish: FISH,
  powershell: POWERSHELL,
};

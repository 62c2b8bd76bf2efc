# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# bash completion for ghostctl(1). Kinds, ids and policy options are asked of the daemon through ghostctl itself;
# when it does not run, there are none.

_ghostctl_ask() {
    ghostctl --timeout 2s --no-ask-password --color never "$@" 2>/dev/null
}

# _ghostctl_values OPTION VERB: the values that can follow an option.
_ghostctl_values() {
    case $1 in
        --color) echo auto always never ;;
        --grade) echo suspected proven ;;
        --type) echo appeared changed pending acted vanished ;;
        --verdict) echo cleaned gone refused failed ;;
        --kind) _ghostctl_ask kinds --quiet ;;
        --ghost) _ghostctl_ask list --quiet ;;
        --pid) ps -e -o pid= ;;
        --uid) getent passwd | cut -d: -f3 ;;
        --unit) systemctl list-units --no-legend --plain --no-pager 2>/dev/null | cut -d' ' -f1 ;;
        --min-age | --for) echo 1min 5min 1h 1d ;;
        --since | -S | --until | -U) echo now today yesterday 1h 1d ;;
        --timeout) echo 5s 25s 1min ;;
        --columns) echo time event comm pid ppid what uid exe args cwd unit container status signal duration rss \
            start cgroup pidns mntns netns ;;
        --min-duration | -d) echo 100 1s 10s 1min ;;
        --cgroup) systemctl list-units --no-legend --plain --no-pager 2>/dev/null | cut -d' ' -f1 |
            sed -n 's|.*\.service$|/system.slice/&|p' ;;
        -p) [[ $2 == trace ]] && ps -e -o pid= ;;
        -f) [[ $2 == hold || $2 == ignore ]] && echo 1min 5min 1h 1d ;;
    esac
}

# _ghostctl_arguments VERB SUBVERB WORD...: what can stand there without a dash.
_ghostctl_arguments() {
    case $1 in
        show | explain | clean | hold | ignore) _ghostctl_ask list --quiet ;;
        restore) _ghostctl_ask quarantine --quiet ;;
        scan) _ghostctl_ask kinds --quiet ;;
        policy)
            case $2 in
                '') echo show set ;;
                show) _ghostctl_ask kinds --quiet ;;
                set)
                    if (($# == 2)); then
                        _ghostctl_ask kinds --quiet
                    else
                        _ghostctl_ask policy show "$3" --quiet | sed -n 's/=.*/=/p'
                    fi
                    ;;
            esac
            ;;
    esac
}

_ghostctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    # "--grade=pro" comes as three words.
    if [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $cur == = ]]; then
        cur=''
    fi

    local with_value='--address --cgroup --color --columns --comm --container --for --ghost --grade --kind --lines
        --min-age --min-duration --pid --since --timeout --type --uid --unit --until --verdict -S -U -d'
    local global='-h --help --version -j --json -q --quiet -l --full --no-legend --color --address --timeout
        --no-ask-password'
    local filters='--kind --grade --pid --uid --unit --container --comm --min-age'
    local verbs='status list show explain watch trace history quarantine who-owns clean hold ignore restore scan policy
        pause resume reload doctor kinds version'
    local -A options=(
        [list]="-a --all $filters"
        [watch]='--kind -n --lines'
        [trace]='-d --min-duration --uid --comm --unit --cgroup -p --pid --failed --fork --cwd --tree --columns
            --count --for'
        [history]='-n --lines -S --since -U --until --kind --type --verdict --ghost'
        [clean]="-s --suspected -n --dry-run -a --all -y --yes $filters"
        [hold]="-f --for --release -a --all -y --yes $filters"
        [ignore]="-f --for --release -a --all -y --yes $filters"
        ['policy set']='-p --persistent'
    )

    local word verb='' sub='' arguments=() skip=''
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        if [[ $skip ]]; then
            [[ $word == = ]] || skip=''
        elif [[ " ${with_value//$'\n'/ } " == *" $word "* ]]; then
            skip=1
        elif [[ $word == -* || $word == = ]]; then
            :
        elif [[ ! $verb ]]; then
            verb=$word
        elif [[ $verb == policy && ! $sub ]]; then
            sub=$word
        else
            arguments+=("$word")
        fi
    done

    local choices
    if [[ " ${with_value//$'\n'/ } -f " == *" $prev "* ]]; then
        choices=$(_ghostctl_values "$prev" "$verb")
    elif [[ $cur == -* ]]; then
        choices="$global ${options[${verb:-none}]-} ${options[${verb:-none} $sub]-}"
    elif [[ ! $verb ]]; then
        choices=$verbs
    elif [[ $verb == who-owns ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
    else
        choices=$(_ghostctl_arguments "$verb" "$sub" "${arguments[@]}")
        [[ $verb == policy && $sub == set && ${#arguments[@]} -gt 0 ]] && compopt -o nospace 2>/dev/null
    fi
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
}

complete -F _ghostctl ghostctl

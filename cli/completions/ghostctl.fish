# SPDX-License-Identifier: Apache-2.0
# fish completion for ghostctl(1). Kinds, ids and policy options are asked of the daemon through ghostctl itself;
# when it does not run, there are none.

function __ghostctl_ask
    command ghostctl --timeout 2s --no-ask-password --color never $argv 2>/dev/null
end

# The ghosts, each with its summary beside the id.
function __ghostctl_ids
    __ghostctl_ask list --no-legend | string replace -r '^\s*(\d+)\s+(.*)$' '$1\t$2'
end

function __ghostctl_kinds
    __ghostctl_ask kinds --quiet
end

# The arguments of the policy verb, without options: "set tcp Clean=never".
function __ghostctl_policy_arguments
    set -l words (commandline -opc | string match -v -- '-*')
    set -e words[1..2]
    string join \n -- $words
end

function __ghostctl_policy_sets
    set -l words (__ghostctl_policy_arguments)
    test (count $words) -ge 2; and test $words[1] = set
end

function __ghostctl_assignments
    __ghostctl_ask policy show (__ghostctl_policy_arguments)[2] --quiet | string match -r '^.*='
end

set -l verbs status list show explain watch trace history quarantine who-owns clean hold ignore restore scan policy \
    pause resume reload doctor kinds version
set -l no_verb "not __fish_seen_subcommand_from $verbs"

complete -c ghostctl -f
complete -c ghostctl -s h -l help -d 'Show help'
complete -c ghostctl -l version -d 'Show the version of ghostctl'
complete -c ghostctl -s j -l json -d 'Print JSON'
complete -c ghostctl -s q -l quiet -d 'Print only what a script needs'
complete -c ghostctl -s l -l full -d 'Do not shorten anything'
complete -c ghostctl -l no-legend -d 'No headings and no footers'
complete -c ghostctl -l color -x -a 'auto always never' -d 'When to use colour'
complete -c ghostctl -l address -x -d 'The bus, if not the system bus'
complete -c ghostctl -l timeout -x -a '5s 25s 1min' -d 'How long to wait for an answer'
complete -c ghostctl -l no-ask-password -d 'Do not ask for a password'

complete -c ghostctl -n $no_verb -a status -d 'How the daemon is and what it has found'
complete -c ghostctl -n $no_verb -a list -d 'The ghosts there are now'
complete -c ghostctl -n $no_verb -a show -d 'Everything known about ghosts'
complete -c ghostctl -n $no_verb -a explain -d 'Why something is held to be a ghost'
complete -c ghostctl -n $no_verb -a watch -d 'What happens, as it happens'
complete -c ghostctl -n $no_verb -a trace -d 'Which processes start and end'
complete -c ghostctl -n $no_verb -a history -d 'What became of ghosts'
complete -c ghostctl -n $no_verb -a who-owns -d 'Which processes hold a file, and whose lock it is'
complete -c ghostctl -n $no_verb -a clean -d 'Lay ghosts to rest now'
complete -c ghostctl -n $no_verb -a hold -d 'Keep the daemon from acting on ghosts'
complete -c ghostctl -n $no_verb -a ignore -d 'Hold, and leave out of every list'
complete -c ghostctl -n $no_verb -a quarantine -d 'Files taken out of their places'
complete -c ghostctl -n $no_verb -a restore -d 'Put back what is in quarantine'
complete -c ghostctl -n $no_verb -a scan -d 'Look at the whole machine at once'
complete -c ghostctl -n $no_verb -a policy -d 'Show or change what is done'
complete -c ghostctl -n $no_verb -a pause -d 'Stop all acts of the daemon'
complete -c ghostctl -n $no_verb -a resume -d 'Let it act again'
complete -c ghostctl -n $no_verb -a reload -d 'Have the configuration read again'
complete -c ghostctl -n $no_verb -a doctor -d 'What works here, and what does not'
complete -c ghostctl -n $no_verb -a kinds -d 'The kinds of ghosts'
complete -c ghostctl -n $no_verb -a version -d 'The versions of ghostctl and the daemon'

set -l filtering '__fish_seen_subcommand_from list clean hold ignore'
complete -c ghostctl -n "$filtering watch history" -l kind -x -a '(__ghostctl_kinds)' -d 'Only of this kind'
complete -c ghostctl -n $filtering -l grade -x -a 'suspected proven' -d 'Only of this grade'
complete -c ghostctl -n $filtering -l pid -x -a '(__fish_complete_pids)' -d 'Only those this process holds'
complete -c ghostctl -n $filtering -l uid -x -d 'Only those of this user'
complete -c ghostctl -n $filtering -l unit -x -a '(__fish_systemctl_services)' -d 'Only those of this unit'
complete -c ghostctl -n $filtering -l container -x -d 'Only those of this container'
complete -c ghostctl -n $filtering -l comm -x -a '(__fish_complete_proc)' -d 'Only those of this process name'
complete -c ghostctl -n $filtering -l min-age -x -a '1min 5min 1h 1d' -d 'Only those at least so old'

complete -c ghostctl -n '__fish_seen_subcommand_from list' -s a -l all -d 'Those too that a summary stands for'

set -l acting '__fish_seen_subcommand_from clean hold ignore'
complete -c ghostctl -n $acting -s a -l all -d 'All, or all that pass the filters'
complete -c ghostctl -n $acting -s y -l yes -d 'Do not ask before acting on --all'
complete -c ghostctl -n '__fish_seen_subcommand_from clean' -s s -l suspected -d 'What is only suspected too'
complete -c ghostctl -n '__fish_seen_subcommand_from clean' -s n -l dry-run -d 'Say what would be done'
complete -c ghostctl -n '__fish_seen_subcommand_from hold ignore' -s f -l for -x -a '1h 1d infinity' -d 'For how long'
complete -c ghostctl -n '__fish_seen_subcommand_from hold ignore' -l release -d 'End it now'

complete -c ghostctl -n '__fish_seen_subcommand_from watch history' -s n -l lines -x -d 'How many'
set -l tracing '__fish_seen_subcommand_from trace'
complete -c ghostctl -n $tracing -s d -l min-duration -x -a '100 1s 10s 1min' -d 'Only what lived so long'
complete -c ghostctl -n $tracing -l uid -x -d 'Only of this user'
complete -c ghostctl -n $tracing -l comm -x -a '(__fish_complete_proc)' -d 'Only of this name'
complete -c ghostctl -n $tracing -l unit -x -a '(__fish_systemctl_services)' -d 'Only of this unit'
complete -c ghostctl -n $tracing -l cgroup -x -d 'Only in this control group'
complete -c ghostctl -n $tracing -s p -l pid -x -a '(__fish_complete_pids)' -d 'Only this process and its descendants'
complete -c ghostctl -n $tracing -l failed -d 'Only ends that are failures'
complete -c ghostctl -n $tracing -l fork -d 'Forks too'
complete -c ghostctl -n $tracing -l cwd -d 'The working directory too'
complete -c ghostctl -n $tracing -l tree -d 'Indent by parentage'
complete -c ghostctl -n $tracing -l columns -x -d 'These columns' \
    -a 'time event comm pid ppid what uid exe args cwd unit container status signal duration rss start cgroup pidns mntns netns'
complete -c ghostctl -n $tracing -l count -d 'Only what it comes to'
complete -c ghostctl -n $tracing -l for -x -a '2s 10s 1min' -d 'End after so long'

set -l past '__fish_seen_subcommand_from history'
complete -c ghostctl -n $past -s S -l since -x -a 'today yesterday 1h 1d' -d 'Not before'
complete -c ghostctl -n $past -s U -l until -x -a 'now today yesterday 1h' -d 'Not after'
complete -c ghostctl -n $past -l type -x -a 'appeared changed pending acted vanished' -d 'Only what is of this type'
complete -c ghostctl -n $past -l verdict -x -a 'cleaned gone refused failed' -d 'Only acts that ended so'
complete -c ghostctl -n $past -l ghost -x -a '(__ghostctl_ids)' -d 'Only this ghost'

complete -c ghostctl -n '__fish_seen_subcommand_from show explain clean hold ignore' -a '(__ghostctl_ids)'
complete -c ghostctl -n '__fish_seen_subcommand_from scan' -a '(__ghostctl_kinds)' -d Kind
complete -c ghostctl -n '__fish_seen_subcommand_from who-owns' -F
complete -c ghostctl -n '__fish_seen_subcommand_from policy; and not __fish_seen_subcommand_from show set' \
    -a 'show\t"Names, values, defaults and meanings" set\t"Give options other values"'
complete -c ghostctl -a '(__ghostctl_kinds)' -d Kind \
    -n '__fish_seen_subcommand_from policy; and __fish_seen_subcommand_from show set; and not __ghostctl_policy_sets'
complete -c ghostctl -n '__fish_seen_subcommand_from policy; and __ghostctl_policy_sets' -a '(__ghostctl_assignments)'
complete -c ghostctl -n '__fish_seen_subcommand_from policy; and __fish_seen_subcommand_from set' \
    -s p -l persistent -d 'Keep it over reload and restart'
